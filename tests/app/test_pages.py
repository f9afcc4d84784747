"""Every page answers, with data, without any and with a broken configuration; what matching, approving, closing do."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from markupsafe import escape

from app.asking import Site
from app.masks import masked
from app.pages.approvals import difference
from app.people import Right
from app.rendering import NAVIGATION
from app.server import create_app
from connectors.charts import ChartAccount
from orchestration.examination.examine import Examination, Finding
from orchestration.examination.finding import CHECKS, Found
from orchestration.examination.report import keep
from orchestration.lib.customers import read_new
from orchestration.lib.evidence_index import update
from orchestration.lib.explaining.finding import AT_ONCE
from orchestration.lib.map_gaps import gaps
from orchestration.lib.published import Published
from orchestration.outbox.notes import About
from tests.app import marts
from tests.app.conftest import SignedIn
from tests.app.serving import banner, hidden
from tests.orchestration.test_evidence import FILE, with_evidence
from tests.orchestration.test_persons import land, order, page
from tests.outbox.world import FileVendor

RECEIPT = "BARC_GBP-R9"


def test_every_page_answers_with_data_and_without(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    paths = [path for path, _ in NAVIGATION]
    paths += [
        "/payouts/BRICO/C-1",
        "/orders/BRICO/O-1",
        "/runbook/BNK-001",
        "/audit?verify=1",
        "/explain?id=C-2",
        "/explain",
    ]
    for path in paths:
        assert vera.get(path).status_code == 200, path
    marts.build(site.settings.published_path, dict.fromkeys(marts.schemas(), ()))
    for path, _ in NAVIGATION:
        assert vera.get(path).status_code == 200, f"{path} without rows"


def test_what_is_not_there_is_said_with_a_way_on(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    for path in ("/payouts/BRICO/no", "/orders/BRICO/no", "/match/no", "/close/UKTRADE/1999-01", "/actions/no",
                 "/runbook/XXX-999", "/mappings?file=../secrets.csv", "/explain?id=no-such-id"):  # fmt: skip
        response = vera.get(path)
        assert response.status_code == 404, path
        assert "Look" in response.text or "Search" in response.text or "no" in response.text


def test_an_id_near_a_known_one_is_offered(signed_in: SignedIn) -> None:
    assert "/explain?id=BARC_GBP-R1" in signed_in("vera").get("/explain?id=BARC_GBP").text


def test_a_configuration_that_is_not_whole_is_named(
    signed_in: SignedIn, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(site, "settings", site.settings.model_copy(update={"config_dir": tmp_path / "config"}))
    ann, needs_it = signed_in("ann"), ("/approvals", "/mappings")
    for path, name in NAVIGATION:
        response = ann.get(path)
        assert response.status_code == (500 if path in needs_it else 200), name
        if path in needs_it:
            assert "The configuration is not whole" in response.text, name
            assert "tieout doctor" in response.text, name


def test_a_payout_leads_down_to_the_line(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    page = vera.get("/payouts/BRICO/C-1").text
    assert "opening + net − pay-out = closing" in page
    assert "/explain?id=T-5" in page
    assert "Transaction line T-5" in vera.get("/explain?id=T-5").text


def test_of_an_id_that_many_marketplaces_have_one_is_chosen(signed_in: SignedIn, site: Site) -> None:
    lines = [{"transaction_line_id": "T-SHARED", "marketplace_code": f"M{number}"} for number in range(AT_ONCE + 1)]
    marts.build(site.settings.published_path, {"fct_settlement_lines": lines})
    vera = signed_in("vera")
    page = unescape(vera.get("/explain?id=T-SHARED").text)
    assert f"{AT_ONCE + 1} things have the id T-SHARED" in page
    assert "Transaction line T-SHARED" not in page
    assert "/explain?id=T-SHARED&marketplace=M3" in page
    assert "Transaction line T-SHARED" in vera.get("/explain?id=T-SHARED&marketplace=M3").text


def test_an_order_is_found_by_its_tracking_number(signed_in: SignedIn) -> None:
    vera = signed_in("vera")
    assert "/orders/BRICO/O-2" in vera.get("/orders?q=trk-3").text
    assert "Time line" in vera.get("/orders/BRICO/O-2").text


def test_every_figure_leads_to_its_record(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    assert "/evidence?id=T-5&amp;of=BRICO" in vera.get("/payouts/BRICO/C-1").text
    assert "The next run makes the index" in vera.get("/evidence?id=O-2").text
    update(with_evidence(site.settings))
    shown = vera.get("/evidence?id=O-2").text
    assert "Record 6 of mirakl shipments, SHOP" in shown
    assert "The file is what was landed" in shown
    assert "&#34;id&#34;: &#34;S-5&#34;" in shown
    assert "Record 10 of" in vera.get("/evidence", params={"id": "O-1", "file": FILE, "record": "10"}).text
    assert "No record of the evidence names it" in vera.get("/evidence?id=nothing").text
    assert vera.get("/evidence").status_code == 404


def test_service_finds_a_customers_orders_and_each_look_is_logged(signed_in: SignedIn, site: Site) -> None:
    land(site.settings, page(order("O-1", "Ann Canary"), order("O-2", "Ann Canary"), order("O-9", None)))
    read_new(site.settings)
    paul, sara = signed_in("paul"), signed_in("sara")
    assert "what the customer has" not in paul.get("/orders").text
    assert paul.do("/orders/find", seen="/orders", clue="YO1 1CA").status_code == 403
    found = sara.do("/orders/find", seen="/orders", clue=" yo1 1ca")
    assert "2 orders have this postcode" in banner(found)
    assert "/orders/BRICO/O-1" in found.text
    assert "/orders/BRICO/O-2" in found.text
    assert "yo1" not in str(found.url).lower()
    assert paul.get(str(found.url)).status_code == 404  # another's search
    assert "no order has this postcode" in banner(sara.do("/orders/find", seen="/orders", clue="YO9 9ZZ"))
    assert "neither a postcode" in banner(sara.do("/orders/find", seen="/orders", clue="Ann Canary"))
    one = sara.get("/orders/BRICO/O-1")
    assert "/orders/BRICO/O-2" in one.text.split("same mail address")[1]
    assert "12 Canary Road" not in one.text
    sent = {"marketplace_code": "BRICO", "order_id": "O-1"}
    assert paul.do("/orders/reveal", seen="/orders", reason="curious", **sent).status_code == 403
    assert "nothing was written" in banner(sara.do("/orders/reveal", seen="/orders", reason=" ", **sent))
    shown = sara.do("/orders/reveal", seen="/orders", reason="the parcel came back", **sent)
    assert "12 Canary Road" in shown.text
    assert [note["text"] for note in site.outbox.notes.about(About.ORDER, "O-1")] == [
        "searched by postcode",
        "the parcel came back",
    ]
    assert site.outbox.verify_audit().ok


def test_an_unexpected_error_has_a_number_that_the_log_knows(
    signed_in: SignedIn, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    vera = signed_in("vera")
    site.settings.published_path.write_bytes(b"no database" * 1_000)
    response = vera.get("/exceptions")
    assert response.status_code == 500
    assert "no database" not in response.text
    record = next(one for one in caplog.records if one.name == "tieout.app")
    assert str(record.args[0]) in response.text  # type: ignore[index]
    assert record.exc_info


# ---- approving


def action(site: Site) -> str:
    return str(next(row for row in site.outbox.actions() if row["kind"] == "JOURNAL")["action_key"])


def test_an_approver_sees_the_requests_and_lets_it_go(signed_in: SignedIn, site: Site, tmp_path: Path) -> None:
    key, ann = action(site), signed_in("ann")
    page = ann.get("/actions/" + key.replace("|", "%7C"))
    assert "Payload" in page.text
    assert "This one has none" in page.text
    ledger = FileVendor(tmp_path / "ledger.txt")
    site.outbox.previews.prepare({("JOURNAL", "SAGE_UK"): ledger}, ())
    page = ann.get("/actions/" + key.replace("|", "%7C"))
    assert "POST http://vendor/documents" in page.text
    assert "To be changed" in page.text
    assert "1 approved" in banner(ann.do("/approvals/approve", seen="/approvals", choose=key))
    row = site.outbox.find(key)
    assert (row["state"], row["decided_by"]) == ("APPROVED", "ann")


def test_the_second_of_two_approvers_is_told_who_was_faster(signed_in: SignedIn, site: Site) -> None:
    key, ann, adam = action(site), signed_in("ann"), signed_in("adam")
    adam.get("/approvals")
    ann.do("/approvals/approve", seen="/approvals", choose=key)
    late = adam.do("/approvals/reject", seen="/approvals", choose=key, reason="no")
    assert site.outbox.find(key)["state"] == "REJECTED"  # an approval that has not left yet can be taken back
    assert "1 rejected" in banner(late)
    again = ann.do("/approvals/reject", seen="/approvals", choose=key, reason="no")
    assert "adam was faster" in banner(again)
    assert "REJECTED since 2026-07-03 08:00" in banner(again)


def test_who_wrote_off_does_not_approve_it_even_as_administrator(signed_in: SignedIn, site: Site) -> None:
    boss = signed_in("root-admin")
    boss.do("/exceptions/write-off", choose="bbbbbbbbbbbbbbbb", reason="not worth it")
    (decision,) = site.outbox.decisions.all()
    refused = boss.do("/approvals/approve", seen="/approvals", choose=decision["decision_key"])
    assert "another person has to approve it" in banner(refused)
    signed_in("ann").do("/approvals/approve", seen="/approvals", choose=decision["decision_key"])
    assert site.outbox.decisions.all()[0]["state"] == "EFFECTIVE"
    late = signed_in("adam").do("/approvals/approve", seen="/approvals", choose=decision["decision_key"])
    assert "ann was faster" in banner(late)


@pytest.mark.parametrize("name", ["vera", "paul", "sara"])
def test_who_is_no_approver_approves_nothing(name: str, signed_in: SignedIn, site: Site) -> None:
    assert signed_in(name).do("/approvals/approve", seen="/", choose=action(site)).status_code == 403
    assert site.outbox.find(action(site))["state"] == "PROPOSED"


def test_a_changed_payload_is_shown_line_by_line() -> None:
    lines = difference('{"quantity": 6, "sku": "A"}', '{"quantity": 0, "sku": "A"}')
    assert ("del", '  "quantity": 6,') in lines
    assert ("ins", '  "quantity": 0,') in lines
    assert ("", '  "sku": "A"') in lines


def test_personal_data_is_masked_and_a_look_at_it_is_logged(signed_in: SignedIn, site: Site) -> None:
    assert (
        masked("ring +44 20 7946 0958 or jo@example.org, order 0000012345") == "ring ••• or •••@•••, order 0000012345"
    )
    key = action(site)
    site.outbox.note(key, "refused: jo@example.org is no customer", actor="tieout")
    address = "/actions/" + key.replace("|", "%7C")
    sara = signed_in("sara")
    assert "jo@example.org" not in sara.get(address).text
    assert signed_in("ann").do("/actions/reveal", seen="/", choose=key, reason="curious").status_code == 403
    shown = sara.do("/actions/reveal", seen="/", choose=key, reason="the customer asked")
    assert "jo@example.org" in shown.text
    newest = site.outbox.audit_log(limit=1)[0]
    assert (newest["actor"], newest["why"]) == ("sara", "reveal: the customer asked")
    assert site.outbox.verify_audit().ok


# ---- the examination


def test_the_examination_is_shown_as_it_ranked_with_evidence_money_and_remedy(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    assert "were not examined yet" in vera.get("/audit").text
    found = [
        Finding(CHECKS["MAP-1"], Found("BRICO <b>FEE</b>", "9 lines.", "select 1", Decimal("1234.5"), "GBP")),
        Finding(CHECKS["MAP-3"], Found("BRICO SKU-1", "is mapped and never sold.", "item_map.csv line 2")),
    ]
    examined = Examination(tuple(found), (CHECKS["MAP-2"],), ((CHECKS["MAP-3"], "no vendor was asked"),))
    keep(site.settings.examination_path, examined, at=site.settings.clock.now())
    page = vera.get("/audit").text
    assert "2 findings, 1 checks without one, 1 not asked" in page
    assert "1,234.50" in page
    assert page.index("9 lines.") < page.index("is mapped and never sold.")
    assert "See: item_map.csv line 2" in page
    assert escape(CHECKS["MAP-1"].remedy.replace("`", "")) in page
    assert "<b>FEE" not in page
    assert "is mapped" not in vera.get("/audit?findings.impact=HIGH").text
    site.settings.examination_path.write_text("{")
    assert "were not examined yet" in vera.get("/audit").text


# ---- maps


@pytest.fixture
def own_maps(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of their own, and an offer that no item is known for."""
    shutil.copytree(site.settings.config_dir, tmp_path / "config")
    monkeypatch.setattr(site, "settings", site.settings.model_copy(update={"config_dir": tmp_path / "config"}))
    offer = {"subject_type": "OFFER", "rule_code": "OFFER_IDENTITY", "currency_code": "GBP"}
    open_line = {"order_id": "O-7", "order_line_id": "O-7-1", "shop_sku": "sku-7 x", "line_state": "SHIPPING"}
    changes = {
        "rec_offers": [
            offer | {"subject_id": "sku-7 x", "status": "EXCEPTION", "exception_code": "OFR-001"},
            offer | {"subject_id": "B0", "status": "EXCEPTION", "exception_code": "OFR-001", "expected_value": "SKU-9"},
            offer | {"subject_id": "SKU-7X", "status": "MATCHED", "expected_value": "SKU-7X"},
        ],
        "journal_lines": [
            {
                "account_role": "PENALTY_EXPENSE",
                "currency_code": "GBP",
                "journal_key": "J-1",
                "debit": "7.00",
                "posting_date": "2026-06-30",
                "credit": "0.00",
            },
        ],
        "fct_order_lines": [open_line | {"total_amount": "12.50", "currency_code": "GBP"}],
    }
    marts.build(site.settings.published_path, changes)
    return tmp_path / "config" / "item_map.csv"


def test_a_gap_is_priced_proposed_by_one_and_closed_by_another(signed_in: SignedIn, site: Site, own_maps: Path) -> None:
    paul, ann, adam = signed_in("paul"), signed_in("ann"), signed_in("adam")
    page = paul.get("/mappings").text
    assert "1 open order line" in page
    assert "12.50" in page
    assert "spelled the same but for case and punctuation" in page
    assert "Item SKU-9 alone has the barcode" in page
    to = unescape(next(one for one in re.findall(r'href="(/mappings/row[^"]+)"', page) if "sku-7" in one))
    form = paul.get(to)
    fields = {name: unescape(value) for name, value in re.findall(r'name="(cell\.[^"]+)" value="([^"]*)"', form.text)}
    fields |= {"file": "item_map.csv", "digest": hidden(form, "digest"), "how": "add"}
    assert fields["cell.item_code"] == "SKU-7X"
    assert "say why" in banner(paul.do("/mappings/propose", seen=to, **fields))
    before = own_maps.read_bytes()
    assert "Another person approves" in banner(paul.do("/mappings/propose", seen=to, reason="same product", **fields))
    assert own_maps.read_bytes() == before
    (change,) = site.outbox.changes.all()
    assert paul.do("/approvals/approve", seen="/mappings", choose=change["change_key"]).status_code == 403
    assert "add BRICO, sku-7 x" in ann.get("/approvals").text
    assert "1 approved" in banner(ann.do("/approvals/approve", seen="/approvals", choose=change["change_key"]))
    assert own_maps.read_bytes() == before + b"BRICO,sku-7 x,SAGE_UK,SKU-7X\n"
    late = adam.do("/approvals/reject", seen="/approvals", choose=change["change_key"], reason="no")
    assert "ann was faster" in banner(late)
    assert "ann" in adam.get("/mappings?file=item_map.csv").text.split("What became of the others", 1)[1]
    assert site.outbox.verify_audit().ok


def test_an_account_is_proposed_by_its_name_in_the_chart(site: Site, own_maps: Path) -> None:
    accounts = own_maps.parent / "accounts.csv"
    accounts.write_text("".join(one for one in accounts.open() if ",PENALTY_EXPENSE," not in one))
    charts = {
        "SAGE_UK": [ChartAccount("6150", "Penalties", False, "MKT", ""), ChartAccount("2", "Fines", True, "", "")]
    }
    published = Published(site.settings.published_path)
    found = {one.subject: one for one in gaps(published, own_maps.parent, lambda erp: charts[erp])}
    published.close()
    gap = found["PENALTY_EXPENSE"]
    assert (gap.cells["account_code"], gap.cells["cost_centre"], gap.is_whole) == ("6150", "MKT", True)
    assert gap.why.startswith("The chart of SAGE_UK has 6150 Penalties.")


def test_a_row_is_refused_when_its_file_changed_under_the_form(signed_in: SignedIn, site: Site, own_maps: Path) -> None:
    paul = signed_in("paul")
    seen = "/mappings/row?file=carriers.csv&row=0"
    form = paul.get(seen)
    fields = {name: unescape(value) for name, value in re.findall(r'name="(cell\.[^"]+)" value="([^"]*)"', form.text)}
    fields |= {"file": "carriers.csv", "row": "0", "digest": hidden(form, "digest"), "reason": "typing error"}
    carriers = own_maps.parent / "carriers.csv"
    carriers.write_bytes(carriers.read_bytes() + b"SAGE_UK,Mule,*,,false,\n")
    assert "changed while you looked" in banner(paul.do("/mappings/propose", seen=seen, how="edit", **fields))
    fields["digest"] = hidden(paul.get(seen), "digest")
    wrong = fields | {"cell.is_tracked": "perhaps"}
    assert "must be true or false" in banner(paul.do("/mappings/propose", seen=seen, how="edit", **wrong))
    assert "Proposed" in banner(paul.do("/mappings/propose", seen=seen, how="remove", **fields))
    (change,) = site.outbox.changes.all()
    assert (change["kind"], change["row_after"]) == ("REMOVE", None)
    refused = signed_in("petra").do("/mappings/withdraw", seen="/mappings", choose=change["change_key"])
    assert "another person's" in banner(refused)
    assert "withdrawn" in banner(paul.do("/mappings/withdraw", seen="/mappings", choose=change["change_key"]))
    assert paul.get("/mappings/row?file=marketplaces.csv").status_code == 404
    assert paul.get("/mappings/row?file=carriers.csv&row=999").status_code == 404


# ---- matching


@pytest.fixture
def unmatched(site: Site) -> None:
    level = {"status": "EXCEPTION", "expected_amount": "8.20", "actual_amount": "0.00", "delta_amount": "-8.20"}
    changes = {
        "rec_receipts": [
            level | {"subject_type": "PAYOUT", "subject_id": "C-2", "exception_code": "BNK-001", "currency_code": "GBP"}
        ],
        "unmatched_payouts": [
            level | {"subject_type": "PAYOUT", "subject_id": "C-2", "candidate_ids": RECEIPT, "summary": "Late."}
        ],
        "fct_receipts": [
            {"receipt_id": RECEIPT, "amount": "8.00", "currency_code": "GBP", "value_date": "2026-04-23"}
        ],
    }  # fmt: skip
    marts.build(site.settings.published_path, changes)


@pytest.mark.usefixtures("unmatched")
def test_a_preparer_matches_names_the_difference_and_takes_it_back(signed_in: SignedIn, site: Site) -> None:
    paul = signed_in("paul")
    assert RECEIPT in paul.get("/match/C-2").text
    form = {"cycle": "C-2", "receipt": RECEIPT, "reason": "remittance advice"}
    assert "say what the difference is" in banner(paul.do("/match/confirm", seen="/match/C-2", **form))
    assert "from the next run on" in banner(paul.do("/match/confirm", seen="/match/C-2", residual="FEE", **form))
    assert site.outbox.decisions.all()[0]["residual"] == "FEE"
    assert "does not pay" in banner(paul.do("/match/unmatch", seen="/match/C-2", **form))
    assert site.outbox.decisions.all()[0]["state"] == "WITHDRAWN"


@pytest.mark.usefixtures("unmatched")
def test_a_receipt_that_is_none_is_refused(signed_in: SignedIn) -> None:
    form = {"cycle": "C-2", "other": "nothing", "reason": "guess", "residual": "OPEN"}
    assert "nothing is no receipt" in banner(signed_in("paul").do("/match/confirm", seen="/match/C-2", **form))


# ---- closing


@pytest.fixture
def month(site: Site) -> None:
    figure = {"period": "2026-06", "figure_code": "CLEARING", "currency_code": "GBP", "restated_amount": "79.10"}
    check = {"period": "2026-06", "check_code": "05_BANK", "title": "Bank matched", "is_blocking": "true"}
    changes = {"close_readiness": [check | {"is_done": "false", "open_count": "1"}], "period_figures": [figure]}
    marts.build(site.settings.published_path, changes)


@pytest.mark.usefixtures("month")
def test_two_people_sign_and_a_month_is_locked_for_a_reason_only(signed_in: SignedIn, site: Site) -> None:
    page = "/close/UKTRADE/2026-06"
    paul, ann, adam = signed_in("paul"), signed_in("ann"), signed_in("adam")
    assert "an approver signs as reviewer" in banner(paul.do(f"{page}/sign", seen=page, role="REVIEWER"))
    assert "nobody has prepared" in banner(ann.do(f"{page}/sign", seen=page, role="REVIEWER"))
    assert "signed as preparer" in banner(paul.do(f"{page}/sign", seen=page, role="PREPARER"))
    assert "signed as reviewer" in banner(ann.do(f"{page}/sign", seen=page, role="REVIEWER"))
    assert "05_BANK" in banner(adam.do(f"{page}/lock", seen=page))
    assert "is locked" in banner(adam.do(f"{page}/lock", seen=page, despite="the bank is late"))
    assert "Locked although 05_BANK were not done: the bank is late" in adam.get(page).text
    assert "Open since the lock: " not in adam.get(page).text
    assert site.outbox.closing.locked() == {("UKTRADE", "2026-06")}
    assert "is open again" in banner(adam.do(f"{page}/reopen", seen=page, reason="the bank came"))


@pytest.mark.usefixtures("month")
def test_nobody_signs_while_a_lane_runs(signed_in: SignedIn, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("app.pages.close.LANE_WAIT_SECONDS", 0.1)
    page = "/close/UKTRADE/2026-06"
    paul = signed_in("paul")
    site.settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(site.settings.locks_dir / "lane.lock"):
        assert "a lane is running" in banner(paul.do(f"{page}/sign", seen=page, role="PREPARER"))
    assert site.outbox.closing.all() == []


def test_a_form_names_its_right(site: Site) -> None:
    """Every address that changes something is POST only, and every one needs a right."""
    from app.pages import DEEDS

    routes = {route.path: route.methods for route in create_app(site).routes if getattr(route, "methods", None)}
    for path, (_, right) in DEEDS.items():
        assert right
        assert routes[path] == {"POST"}


def test_a_folder_that_is_named_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from app.command import app, open_site

    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "env").write_text(f"TIEOUT_DATA_DIR={tmp_path / 'there'}\n")
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "here"))
    command = ["--dir", str(tmp_path / "demo"), "user", "anna", "--role", "viewer"]
    result = CliRunner().invoke(app, command, input="correct horse\ncorrect horse\n")
    assert result.exit_code == 0, result.output
    assert open_site().users.path == tmp_path / "there" / "secrets" / "app-users.csv"
    assert open_site().users.person("anna")


def test_the_command_keeps_users_and_prints_a_link_without_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from app.command import app, open_site

    assert open_site().link_token
    monkeypatch.setenv("TIEOUT_APP_USERS_FILE", str(site.settings.root / "mine.csv"))
    result = CliRunner().invoke(app, ["user", "anna", "--role", "approver"], input="correct horse\ncorrect horse\n")
    assert result.exit_code == 0, result.output
    opened = open_site()
    assert opened.link_token == ""
    person = opened.users.verify("Anna", "correct horse")
    assert person is not None
    assert person.may(Right.APPROVE)
    assert (site.settings.root / "mine.csv").stat().st_mode & 0o077 == 0
