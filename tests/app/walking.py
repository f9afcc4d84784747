"""A walk through the whole app, as the people do it who use it. The pages are those of a finished installation."""

from __future__ import annotations

import time
from collections.abc import Mapping

from playwright.sync_api import Browser, expect

from orchestration.lib.published import Published
from tests.app.browser import PHONE, Person

Ids = Mapping[str, str]


def ids_of(published: Published) -> dict[str, str]:
    """Things of the installation that the walk looks at."""

    def one(query: str) -> str:
        return str(published.rows(query)[0]["id"])

    return {
        "short": one(
            "SELECT subject_id AS id FROM exceptions WHERE exception_code = 'BNK-001' AND status = 'OPEN' ORDER BY 1"
        ),
        "exception": one(
            "SELECT exception_id AS id FROM exceptions WHERE status = 'OPEN' AND amount_at_risk > 20 "
            "AND consequence_count > 0 AND exception_code NOT LIKE 'CLR%' ORDER BY exception_code, exception_id"
        ),
        "payout": one(
            "SELECT marketplace_code || '/' || billing_cycle_id AS id FROM fct_receipt_allocations ORDER BY 1"
        ),
        "candidate": one(
            "SELECT subject_id AS id FROM unmatched_payouts WHERE subject_type = 'PAYOUT' AND status = 'EXCEPTION' "
            "AND candidate_ids IS NOT NULL ORDER BY 1"
        ),
        "order": one(
            "SELECT marketplace_code || '/' || order_id AS id FROM order_status "
            "WHERE is_customer_not_yet_refunded ORDER BY 1"
        ),
        "line": one(
            "SELECT transaction_line_id AS id FROM fct_settlement_lines WHERE transaction_type = 'COMMISSION_FEE' "
            "AND marketplace_code = 'BRICO' ORDER BY 1"
        ),
        "tracking": one(
            "SELECT tracking_numbers AS id FROM order_status WHERE tracking_numbers IS NOT NULL ORDER BY 1"
        ),
        "month": one(
            "SELECT entity_code || '/' || period AS id FROM close_readiness ORDER BY period = '2026-06' DESC, 1 DESC"
        ),
    }


def pages_of(ids: Ids) -> dict[str, str]:
    """Every page by the name of its screenshot."""
    return {
        "today": "/",
        "exceptions": "/exceptions",
        "exception": f"/exceptions/{ids['exception']}",
        "explain": f"/explain?id={ids['short']}",
        "evidence": f"/evidence?id={ids['line']}",
        "journals": "/journals",
        "payouts": "/payouts",
        "payout": f"/payouts/{ids['payout']}",
        "match": "/match",
        "matching": f"/match/{ids['candidate']}",
        "orders": "/orders",
        "order": f"/orders/{ids['order']}",
        "approvals": "/approvals",
        "close": "/close",
        "month": f"/close/{ids['month']}",
        "profitability": "/profitability",
        "stock": "/stock",
        "mappings": "/mappings",
        "mapping-row": "/mappings/row?file=accounts.csv&row=2",
        "feeds": "/feeds",
        "audit": "/audit?verify=1",
        "runbook": "/runbook/BNK-001",
    }


def every_page_is_fit_for_everybody(browser: Browser, base: str, ids: Ids) -> None:
    """An administrator, who sees all forms, walks every page; axe looks over the shoulder."""
    boss = Person(browser, base)
    boss.page.goto(f"{base}/sign-in")
    found = boss.judge()
    boss.sign_in("root-admin")
    for name, path in pages_of(ids).items():
        boss.open(path)
        found += boss.judge()
        boss.shoot(name)
        if name == "today":
            boss.shoot("today-phone", PHONE)
    assert not found, "\n".join(found)
    assert boss.complaints == []


def a_newcomer_finds_why_a_payout_is_short(browser: Browser, base: str, ids: Ids) -> None:
    """The path of docs/app.md: the link that `make app` prints, one click, and the reason stands beside the remedy. Its
    id, typed into the field at the top, leads to the arithmetic.
    """
    newcomer = Person(browser, base)
    began = time.perf_counter()
    newcomer.page.goto(f"{base}/sign-in/link/{ids['link']}")
    signed_in = time.perf_counter()
    newcomer.page.get_by_role("link", name="Pay-outs not tied").click()
    row = newcomer.page.get_by_role("row").filter(has_text=ids["short"])
    expect(row).to_contain_text("has not been received")
    expect(row).to_contain_text("Check state, bank details; chase")
    newcomer.note("newcomer", {"the link": signed_in - began, "the click": time.perf_counter() - signed_in})
    newcomer.page.get_by_label("Any id: order, pay-out").fill(ids["short"])
    newcomer.page.keyboard.press("Enter")
    expect(newcomer.page.locator("main")).to_contain_text("opening + net − pay-out = closing")
    assert newcomer.complaints == []


def the_keyboard_is_enough(browser: Browser, base: str, _ids: Ids) -> None:
    """The first stop skips to the content, the theme is a button, a heading sorts its column."""
    vera = Person(browser, base)
    vera.sign_in("vera")
    vera.open("/")
    vera.page.bring_to_front()
    vera.page.keyboard.press("Tab")
    expect(vera.page.locator(":focus")).to_have_text("Skip to content")
    vera.page.keyboard.press("Enter")
    assert vera.page.evaluate("document.activeElement.id") == "content"
    vera.page.get_by_role("button", name="Dark").press("Enter")
    assert vera.page.locator("html").get_attribute("data-theme") == "dark"
    vera.open("/exceptions")
    assert vera.page.locator("html").get_attribute("data-theme") == "dark"
    vera.shoot("exceptions-dark")
    vera.page.get_by_role("link", name="At risk", exact=True).press("Enter")
    expect(vera.page.locator("th[aria-sort=ascending]").first).to_contain_text("At risk")


def a_preparer_and_an_approver_do_their_work(browser: Browser, base: str, ids: Ids) -> None:
    """One comments, writes off and matches; what is too much for one waits for the other, who approves it."""
    paul, ann = Person(browser, base), Person(browser, base)
    paul.sign_in("paul")
    paul.open(f"/exceptions/{ids['exception']}")
    paul.page.get_by_label("Comment; name no customer").fill("asked the marketplace")
    paul.page.get_by_role("button", name="Comment").click()
    expect(paul.page.locator(".notes")).to_contain_text("asked the marketplace")
    paul.page.get_by_label("Reason, for the auditor").fill("not worth a letter")
    paul.page.get_by_role("button", name="Write off").click()
    expect(paul.page.locator(".banner.good")).to_contain_text("wait for a second person")
    paul.open(f"/match/{ids['candidate']}")
    paul.page.get_by_label("What the difference is").select_option("OPEN")
    paul.page.get_by_label("Why, for the auditor; name no customer").fill("remittance advice")
    paul.page.get_by_role("button", name="Confirm the match").click()
    expect(paul.page.locator(".banner.good")).to_contain_text("from the next run on")

    ann.sign_in("ann")
    ann.open("/approvals")
    mine = ann.page.locator("#decisions tbody tr").filter(has_text="paul")
    mine.get_by_role("checkbox").check()
    ann.page.get_by_role("button", name="Approve").click()
    expect(ann.page.locator(".banner.good")).to_contain_text("1 approved")
    ann.page.locator("#table tbody a").first.click()
    expect(ann.page.get_by_label("Payload")).to_contain_text("{")
    ann.shoot("action")
    ann.page.get_by_role("button", name="Approve").click()
    expect(ann.page.locator(".badge.is-approved").first).to_be_visible()
    assert paul.complaints + ann.complaints == []


def two_people_change_a_map(browser: Browser, base: str, _ids: Ids) -> None:
    """One begins with the dearest gap that is known whole, another approves; the file holds the row."""
    petra, adam = Person(browser, base), Person(browser, base)
    petra.sign_in("petra")
    petra.open("/mappings")
    gap = petra.page.locator("#gaps tbody tr").filter(has_text="item_map.csv").first
    sku = gap.get_by_role("link").first.inner_text()
    gap.get_by_role("link", name="Propose").click()
    petra.page.get_by_label("Reason, for whoever approves").fill("same product, looked at both")
    petra.page.get_by_role("button", name="Propose the row").click()
    expect(petra.page.locator(".banner.good")).to_contain_text("Another person approves")
    adam.sign_in("adam")
    adam.open("/approvals")
    adam.page.locator("#changes tbody tr").filter(has_text=sku).get_by_role("checkbox").check()
    adam.page.get_by_role("button", name="Approve").click()
    expect(adam.page.locator(".banner.good")).to_contain_text("1 approved")
    adam.open("/mappings?file=item_map.csv")
    expect(adam.page.locator("#file tbody")).to_contain_text(sku)
    assert petra.complaints + adam.complaints == []


def service_finds_an_order(browser: Browser, base: str, ids: Ids) -> None:
    """By its tracking number; whose customer waits for money; and by the address that the marketplace writes from."""
    sara = Person(browser, base)
    sara.sign_in("sara")
    sara.open("/orders")
    number = ids["tracking"].split(",")[0].strip()
    sara.page.get_by_label("Search", exact=True).fill(number)
    sara.page.get_by_role("button", name="Show").click()
    expect(sara.page.locator("tbody")).to_contain_text(number)
    sara.page.get_by_role("link", name="Customer not yet refunded").click()
    sara.page.get_by_role("link", name=ids["order"].split("/")[1]).click()
    expect(sara.page.locator("main")).to_contain_text("The customer waits for money.")
    sara.open("/orders")
    sara.page.get_by_label("Customer's postcode or mail address").fill(ids["relay"])
    sara.page.get_by_role("button", name="Find").click()
    expect(sara.page.locator(".banner.good")).to_contain_text("this mail address")
    expect(sara.page.locator("main")).to_contain_text(ids["order"].split("/")[1])


def downloads_arrive(browser: Browser, base: str, _ids: Ids) -> None:
    """A table as CSV, with its heading."""
    vera = Person(browser, base)
    vera.sign_in("vera")
    vera.open("/exceptions")
    with vera.page.expect_download() as waiting:
        vera.page.get_by_role("link", name="Download exceptions as CSV").click()
    assert waiting.value.suggested_filename == "tieout-exceptions.csv"
    assert waiting.value.path().read_text(encoding="utf-8-sig").startswith("severity,exception_code,")


def walk(browser: Browser, base: str, ids: Ids) -> None:
    """All of it; what changes something comes last."""
    for step in STEPS:
        step(browser, base, ids)
        for context in browser.contexts:
            context.close()


STEPS = (
    a_newcomer_finds_why_a_payout_is_short,
    every_page_is_fit_for_everybody,
    the_keyboard_is_enough,
    downloads_arrive,
    service_finds_an_order,
    a_preparer_and_an_approver_do_their_work,
    two_people_change_a_map,
)
