"""The exceptions: what is shown of them, and what people of each role can do."""

from __future__ import annotations

import csv
import io
import time

import pytest

from app.asking import Site
from app.rendering import NAVIGATION
from orchestration.alerting.causes import open_causes
from orchestration.alerting.desk import look
from orchestration.alerting.taking import take, taken
from tests.app import marts
from tests.app.conftest import SignedIn
from tests.app.serving import banner
from tests.cli.marts import ROWS

SHORT = "aaaaaaaaaaaaaaaa"
MISSING = "bbbbbbbbbbbbbbbb"


def test_today_names_what_needs_somebody_and_the_remedy(signed_in: SignedIn) -> None:
    page = signed_in("vera").get("/").text
    assert "BNK-001" in page
    assert "Check state and bank details; chase" in page
    assert "SET-004" not in page  # resolved


def test_rows_are_narrowed_and_sorted_by_the_address(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    page = vera.get("/exceptions?owner_team=OPERATIONS").text
    rows = page.split("By root cause")[0]
    assert "ORD-001" in rows
    assert "BNK-001 " not in rows.split("<tbody>")[1]
    body = vera.get("/exceptions?sort=-amount_at_risk").text.split("<tbody>")[1]
    assert body.index("ORD-001") < body.index("BNK-001")
    assert vera.get("/exceptions?sort=nothing;drop&page=99999").status_code == 200


def test_an_exception_says_what_to_do_and_what_follows(signed_in: SignedIn) -> None:
    page = signed_in("vera").get(f"/exceptions/{SHORT}").text
    assert "pay-out of 8.20 was not received" in page
    assert "Check state and bank details; chase" in page
    assert "a preparer decides" in page


def test_an_unknown_exception_and_an_unknown_page_help(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    for path, words in (("/exceptions/nothing", "older run"), ("/nowhere", "There is no page")):
        response = vera.get(path)
        assert response.status_code == 404
        assert words in response.text


def test_a_preparer_decides_and_the_trail_says_who_and_how(signed_in: SignedIn, site: Site) -> None:
    paul = signed_in("paul")
    done = paul.do("/exceptions/accept", choose=SHORT, reason="known")
    assert "accepted" in banner(done)
    (decision,) = site.outbox.decisions.all()
    assert (decision["kind"], decision["proposed_by"], decision["exception_id"]) == ("ACCEPT", "paul", SHORT)
    assert site.outbox.audit_log(limit=1)[0]["channel"] == "app"
    assert "open again" in banner(paul.do("/exceptions/reopen", choose=SHORT, reason="not known after all"))
    assert site.outbox.verify_audit().ok


def test_a_write_off_above_the_limit_waits_for_a_second_person(signed_in: SignedIn, site: Site) -> None:
    done = signed_in("paul").do("/exceptions/write-off", choose=[SHORT, MISSING], reason="not worth it")
    assert "2 of them wait for a second person" in banner(done)
    assert {row["state"] for row in site.outbox.decisions.all()} == {"PROPOSED"}


def test_a_batch_is_commented_and_assigned_at_once(signed_in: SignedIn, site: Site) -> None:
    paul = signed_in("paul")
    paul.do("/exceptions/comment", choose=[SHORT, MISSING], text="asked the bank")
    paul.do("/exceptions/assign", choose=[SHORT, MISSING], assignee="petra")
    assert site.outbox.notes.assignees() == {SHORT: "petra", MISSING: "petra"}
    assert "asked the bank" in signed_in("vera").get(f"/exceptions/{MISSING}").text
    assert "ORD-001" in signed_in("petra").get("/exceptions?mine=1").text
    assert site.outbox.verify_audit().ok


def test_assigning_takes_the_alert_and_taking_the_alert_assigns(signed_in: SignedIn, site: Site) -> None:
    """One thing, whichever way it is done; given back, the alert speaks again."""
    paul = signed_in("paul")
    paul.do("/exceptions/assign", choose=MISSING, assignee="paul")
    (held,) = (one for one in taken(site.settings).values() if one.by == "paul")
    assert held.reason == "assigned in the app"
    assert "ACKNOWLEDGED" in {reason for _, reason in look(site.settings).held}
    paul.do("/exceptions/assign", choose=MISSING, assignee="")
    assert taken(site.settings) == {}
    cause = next(one for one in open_causes(site.settings.published_path) if one.code == "BNK-001")
    take(site.settings, cause, by="paul", reason="asked the bank")
    assert "BNK-001" in paul.get("/exceptions?mine=1").text.split("By root cause")[0].split("<tbody>")[1]
    assert "<dd>paul</dd>" in paul.get(f"/exceptions/{SHORT}").text
    paul.do("/exceptions/assign", choose=SHORT, assignee="")
    assert taken(site.settings) == {}


@pytest.mark.parametrize("name", ["vera", "sara", "ann"])
def test_who_is_no_preparer_decides_nothing(name: str, signed_in: SignedIn, site: Site) -> None:
    response = signed_in(name).do("/exceptions/accept", seen="/", choose=SHORT, reason="known")
    assert response.status_code == 403
    assert site.outbox.decisions.all() == []


def test_a_form_of_another_session_does_nothing(signed_in: SignedIn, site: Site) -> None:
    paul = signed_in("paul")
    for token in ("", "guess"):
        sent = {"token": token, "choose": SHORT, "reason": "known"}
        assert paul.client.post("/exceptions/accept", data=sent).status_code == 403
    assert site.outbox.decisions.all() == []


def test_without_a_reason_nothing_is_decided(signed_in: SignedIn, site: Site) -> None:
    assert "say why" in banner(signed_in("paul").do("/exceptions/accept", choose=SHORT, reason=" "))
    assert site.outbox.decisions.all() == []


NASTY = ['<script>alert("x")</script>', "=HYPERLINK(0)", "+1+1", "@SUM(A1)", "x" * 200, "<b>'\"&"]


def test_names_that_are_html_or_formulas_stay_text(signed_in: SignedIn, site: Site) -> None:
    like = ROWS["exceptions"][0]
    rows = [like | {"exception_id": f"{n:016d}", "summary": text, "subject_id": text} for n, text in enumerate(NASTY)]
    marts.build(site.settings.published_path, {"exceptions": rows})
    vera = signed_in("vera")
    page = vera.get("/exceptions").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)" in page
    assert "x" * 200 in page
    text = vera.get("/exceptions?download=csv&table=").content.decode("utf-8-sig")
    cells = [row["subject_id"] for row in csv.DictReader(io.StringIO(text))]
    assert sorted(cells) == sorted(f"'{one}" if one[0] in "=+@" else one for one in NASTY)
    assert vera.get("/explain", params={"id": NASTY[0]}).status_code in (200, 404)


def test_a_workbook_holds_numbers_as_numbers_and_no_formulas(signed_in: SignedIn) -> None:
    import zipfile

    response = signed_in("vera").get("/exceptions?download=xlsx&table=")
    assert response.headers["content-disposition"] == 'attachment; filename="tieout-exceptions.xlsx"'
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>8.20</v>" in sheet
    assert "<f>" not in sheet


def test_fifty_thousand_exceptions_are_a_page_like_any_other(signed_in: SignedIn, site: Site) -> None:
    import duckdb

    with duckdb.connect(str(site.settings.published_path)) as connection:
        connection.execute(
            "INSERT INTO marts.exceptions SELECT e.* REPLACE (n::VARCHAR AS exception_id, n AS amount_at_risk, "
            "'O-' || n AS subject_id) FROM marts.exceptions AS e, range(50000) AS r(n) WHERE e.exception_id = ?",
            [MISSING],
        )
    vera = signed_in("vera")
    page = vera.get("/exceptions?sort=-amount_at_risk&page=3").text
    assert "101 to 150 of 50,002" in page
    assert page.count('<td class="severity">') == 50
    assert "O-49899" in page
    assert len(page) < 200_000
    downloaded = vera.get("/exceptions?download=csv&table=&owner_team=OPERATIONS").text
    assert downloaded.count("\n") == 50_002


def test_a_newly_published_file_is_seen_by_the_next_request(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    assert "BNK-001" in vera.get("/exceptions").text
    marts.build(site.settings.published_path, {"exceptions": []})
    time.sleep(0.01)
    assert "everything ties out" in vera.get("/exceptions").text


def test_before_the_first_run_every_page_says_what_to_do(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    site.settings.published_path.unlink()
    for path, name in NAVIGATION:
        page = vera.get(path)
        assert page.status_code == 200, name
        assert "make demo" in page.text, name


def test_every_page_says_how_old_its_figures_are(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    for path, name in NAVIGATION:
        page = vera.get(path).text
        assert "1 of 2 feeds is older than it may be" in page, name
        assert "sage200 SAGE_UK products" in page, name
        assert "Marts as of" in page, name


def test_figures_and_days_are_written_as_the_reader_does(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    german = vera.get("/exceptions?sort=amount_at_risk", headers={"accept-language": "de-DE,de;q=0.9"}).text
    assert "8,20" in german
    assert "30.04.2026" in german
    assert "30 Apr 2026" in vera.get("/exceptions", headers={"accept-language": "en-GB"}).text
    assert vera.get("/exceptions", headers={"accept-language": "xx-??,;;"}).status_code == 200
