"""The control endpoints: failures on demand, what a restart remembers, what a test compares, speed and clock."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from conftest import SEED, Served, serve

from sandbox import jsonio
from sandbox.config import Places, read_environment
from sandbox.credentials import mirakl_secret
from sandbox.world import World


def receipt(served: Served, value: int = 5) -> dict:
    company = served.store.company
    return {
        "customer_id": company["customers"].find("reference", "MKBRICO")["id"],
        "bank_id": company["banks"].find("code", "MKBRICO")["id"],
        "cheque_value": value,
        "reference": "TO0000000000000001",
    }


def chaos(served: Served, **rule: object) -> None:
    served.control().post("chaos", json=rule).raise_for_status()


# --- chaos


def test_a_call_fails_as_often_as_asked_and_has_no_effect(fresh: Served) -> None:
    client = fresh.sage()
    chaos(fresh, path="/sage200/accounts/v1/sales_receipts", kind="fail", status=429, retry_after=7, times=2)
    answers = [client.post("sales_receipts", json=receipt(fresh)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None]
    assert fresh.control().get("writes").json() == {"sage200 sales_receipts": 1}


def test_a_rule_can_let_calls_pass_first_and_match_a_method(fresh: Served) -> None:
    client = fresh.mirakl()
    chaos(fresh, path="/mirakl/BRICO/api/orders", kind="fail", status=500, method="GET", after=1, times=1, body="oops")
    assert [client.get("orders").status_code for _ in range(3)] == [200, 500, 200]
    hits = fresh.control().get("chaos").json()
    assert [rule["hits"] for rule in hits] == [1]


def test_a_connection_breaks_in_the_middle_of_the_body(fresh: Served) -> None:
    client = fresh.mirakl()
    chaos(fresh, path="/mirakl/BRICO/api/orders", kind="drop", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("orders", params={"max": 100})
    assert client.get("orders", params={"max": 100}).status_code == 200


def test_a_write_takes_effect_though_nobody_hears_of_it(fresh: Served) -> None:
    client = fresh.sage()
    chaos(fresh, path="/sage200/accounts/v1/sales_receipts", kind="outcome_unknown", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("sales_receipts", json=receipt(fresh))
    found = client.get("sales_posted_transactions", params={"$filter": "reference eq 'TO0000000000000001'"}).json()
    assert [row["document_gross_value"] for row in found] == [-5]


def test_answers_can_be_late(fresh: Served) -> None:
    client = fresh.mirakl()
    chaos(fresh, path="/mirakl/BRICO", kind="latency", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.get("version", timeout=0.1)
    fresh.control().delete("chaos")
    assert client.get("version", timeout=0.25).status_code == 200


def test_a_call_that_hangs_has_no_effect(fresh: Served) -> None:
    client = fresh.sage()
    chaos(fresh, path="/sage200/accounts/v1/sales_receipts", kind="hang", method="POST", seconds=0.1, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("sales_receipts", json=receipt(fresh))
    asked = {"$filter": "reference eq 'TO0000000000000001'"}
    assert client.get("sales_posted_transactions", params=asked).json() == []
    client.post("sales_receipts", json=receipt(fresh)).raise_for_status()
    assert len(client.get("sales_posted_transactions", params=asked).json()) == 1


@pytest.mark.parametrize(
    "rule", [{"kind": "fail"}, {"path": "/", "kind": "fire"}, {"path": "/", "kind": "fail", "x": 1}]
)
def test_a_rule_that_makes_no_sense_is_refused(fresh: Served, rule: dict[str, object]) -> None:
    assert fresh.control().post("chaos", json=rule).status_code == 400


# --- memory


def write_something(served: Served) -> str:
    """One of each write; returns the newest refresh token."""
    served.settings(import_waiting_seconds=0, import_running_seconds=0)
    granted = served.refresh(served.store.sage_id.usable_refresh_token or "").json()
    site = served.store.company.site
    headers = {
        "Authorization": f"Bearer {granted['access_token']}",
        "X-Site": site["site_id"],
        "X-Company": str(site["company_id"]),
    }
    url = f"{served.url}/sage200/accounts/v1/sales_receipts"
    assert httpx.post(url, json=receipt(served), headers=headers).status_code == 200
    with served.mirakl() as client:
        shop = served.store.accounts["BRICO"].shops[2042]
        sku = next(iter(shop.offers))
        content = f"offer-sku;quantity\n{sku};4711\nNOBODY;1\n".encode()
        assert client.post("offers/stock/imports", files={"file": ("s.csv", content)}).status_code == 201
        order = next(order for order in shop.orders.values() if order.state == "WAITING_ACCEPTANCE")
        lines = [{"id": line["order_line_id"], "accepted": True} for line in order.record()["order_lines"]]
        assert client.put(f"orders/{order.order_id}/accept", json={"order_lines": lines}).status_code == 204
    return str(granted["refresh_token"])


def test_a_restarted_sandbox_remembers_every_write(world: World, tmp_path: Path) -> None:
    first = serve(world, tmp_path)
    served = next(first)
    spent = served.store.sage_id.usable_refresh_token
    token = write_something(served)
    before = served.control().get("state").json()
    next(first, None)
    # A crash in the middle of an append leaves a torn line, which never took effect.
    with (tmp_path / "writes.jsonl").open("ab") as journal:
        journal.write(b'{"operation":"POST","at":"2026')

    second = serve(world, tmp_path)
    served = next(second)
    assert served.control().get("state").json() == before
    assert served.control().get("health").json()["replayed_writes"] == 4
    assert served.refresh(str(spent)).status_code == 400
    assert served.refresh(token).status_code == 200
    with served.mirakl() as client:
        status = client.get("offers/stock/imports/00000001/status").json()
    assert (status["status"], status["lines_in_error"]) == ("COMPLETE", 1)
    next(second, None)


def test_the_journal_holds_no_usable_token(fresh: Served, tmp_path: Path) -> None:
    first = str(fresh.store.sage_id.usable_refresh_token)
    newest = write_something(fresh)
    content = (tmp_path / "state" / "writes.jsonl").read_text()
    assert first not in content
    assert newest not in content


def test_equal_work_in_another_order_gives_an_equal_state(world: World) -> None:
    states = []
    for values in ([5, 6], [6, 5], [5, 6, 6]):
        running = serve(world)
        served = next(running)
        client = served.sage()
        for value in values:
            assert client.post("sales_receipts", json=receipt(served, value)).status_code == 200
        states.append(served.control().get("state").content)
        next(running, None)
    assert states[0] == states[1] != states[2]


def test_a_reset_forgets_every_write(fresh: Served) -> None:
    before = fresh.control().get("state").content
    write_something(fresh)
    assert fresh.control().get("state").content != before
    assert fresh.control().post("reset").status_code == 204
    assert fresh.control().get("state").content == before
    assert fresh.control().get("writes").json() == {}


def test_the_truth_is_served(served: Served, world: World) -> None:
    assert served.control().get("truth").content == jsonio.encode_stable(world.truth)


def test_the_clock_stands_still_until_it_is_told_to_run(fresh: Served) -> None:
    control = fresh.control()
    assert control.get("clock").json() == {"is_frozen": True, "now": "2026-07-03T08:00:00+00:00"}
    control.post("clock", json={"at": "2026-07-04T09:30:00Z"})
    fresh.sage().post("sales_receipts", json=receipt(fresh))
    rows = fresh.sage().get("sales_posted_transactions", params={"$orderby": "id desc", "$top": 1}).json()
    assert rows[0]["date_time_created"] == "2026-07-04T09:30:00Z"
    assert rows[0]["transaction_date"] == "2026-07-04T00:00:00Z"
    control.post("clock", json={"run": True})
    first = control.get("clock").json()["now"]
    time.sleep(0.02)
    assert control.get("clock").json()["now"] > first
    assert control.post("clock", json={"at": "noon"}).status_code == 400


def test_settings_are_named(fresh: Served) -> None:
    assert fresh.control().post("settings", json={"rate_limits": True}).json()["rate_limits"] is True
    assert fresh.control().post("settings", json={"speed": 9}).status_code == 400


# --- the process


def test_the_process_writes_a_folder_that_a_pipeline_can_work_from(tmp_path: Path) -> None:
    places = Places(tmp_path / "sandbox")
    code = (
        "import sys; from pathlib import Path; from sandbox.serve import serve; "
        "serve(Path(sys.argv[1]), port=0, orders=300)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(places.root)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(400):
            if places.address.exists():
                break
            assert process.poll() is None, "the sandbox ended"
            time.sleep(0.05)
        address = json.loads(places.address.read_text())
        url = address["url"]
        for _ in range(100):
            try:
                assert httpx.get(f"{url}/_sandbox/health").json()["status"] == "ok"
                break
            except httpx.TransportError:
                time.sleep(0.02)
        variables = read_environment(places.env)
        assert variables["MIRAKL_BRICO_API_KEY"] == mirakl_secret(SEED, "BRICO")
        assert variables["TIEOUT_AS_OF"] == "2026-07-03T08:00:00Z"
        assert os.stat(places.env).st_mode & 0o077 == 0
        assert f"{url}/mirakl/BRICO," in (places.config / "marketplaces.csv").read_text()
        assert f"{url}/oauth/token" in (places.config / "erps.csv").read_text()
        assert f"{places.bank}/BARC_GBP/*" in (places.config / "bank_accounts.csv").read_text()
        assert any((places.bank / "BARC_GBP").iterdir())
        assert json.loads(places.truth.read_text())["seed"] == 7
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)
    assert not places.address.exists()
