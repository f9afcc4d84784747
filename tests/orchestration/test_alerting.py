"""Alerts that people can live with: one per root cause, at the right time, to whom it concerns, and no more of them."""

from __future__ import annotations

import asyncio
import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.alerting.causes import causes_of
from orchestration.alerting.desk import look, notify, problem_key, tell
from orchestration.alerting.routes import is_quiet, load_routes, routes_of
from orchestration.alerting.store import AlertStore
from orchestration.lib.alerts import Alert
from orchestration.lib.configuration import AlertRoute
from orchestration.lib.settings import Settings

DUE = datetime(2026, 7, 3, 15, 0, tzinfo=UTC).replace(tzinfo=None)
NOON = datetime(2026, 7, 3, 11, 0, tzinfo=UTC)  # 12:00 in London


class MailSink:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        await say("220 sink")
        while line := (await reader.readline()).decode().strip():
            match line.split()[0].upper():
                case "EHLO" | "HELO":
                    await say("250 sink")
                case "DATA":
                    await say("354 go on")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(email.message_from_bytes(body[:-3]))
                    await say("250 kept")
                case "QUIT":
                    await say("221 bye")
                    break
                case _:
                    await say("250 ok")
        writer.close()

    def text(self, number: int, kind: str = "plain") -> str:
        parts = [part for part in self.mails[number].walk() if part.get_content_type() == f"text/{kind}"]
        return "".join(bytes(part.get_payload(decode=True)).decode() for part in parts)  # type: ignore[arg-type]


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    sink, loop, ready = MailSink(), asyncio.new_event_loop(), threading.Event()

    async def begin() -> None:
        server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
        sink.port = server.sockets[0].getsockname()[1]
        ready.set()

    def work() -> None:
        loop.run_until_complete(begin())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def web_sink() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    received: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, received
        server.shutdown()


def finding(number: int = 1, code: str = "SET-009", **changes: Any) -> dict[str, Any]:
    row = {
        "exception_id": f"{code}-{number}", "exception_code": code, "marketplace_code": "BRICO",
        "root_cause": "ERP_DATA", "owner_team": "FINANCE", "title": "Type not mapped",
        "recommended_action": "Map it", "runbook_url": f"docs/runbooks.md#{code.lower()}",
        "subject_type": "TRANSACTION_TYPE", "subject_id": f"NEW_FEE_{number}", "severity": "S1",
        "amount_at_risk": Decimal("12.50"), "currency_code": "GBP", "due_at": DUE,
        "consequence_count": 0, "summary": "Nobody has decided how <b>this</b> is booked.",
    }  # fmt: skip
    return row | changes


def routed(settings: Settings, *rows: str) -> Settings:
    head = ",".join(name for name in AlertRoute.model_fields if name != "line")
    (settings.config_dir / "alert_routes.csv").write_text("\n".join([head, *rows]) + "\n")
    return settings


@pytest.fixture
def noon(settings: Settings) -> Settings:
    return settings.model_copy(update={"as_of": NOON, "app_url": "https://tieout.example/"})


def later(settings: Settings, hours: float) -> Settings:
    return settings.model_copy(update={"as_of": settings.clock.now() + timedelta(hours=hours)})


def test_one_fault_with_500_consequences_is_one_mail_and_one_post(
    noon: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed(
        noon,
        "FINANCE,MAIL,S2,,,,Europe/London,,4,,,",
        "FINANCE,HOOK,S2,,,,Europe/London,,4,,,",
    )
    noon.published_dir.mkdir(parents=True)
    row = finding(consequence_count=500)
    with duckdb.connect(str(noon.published_path)) as connection:
        columns = ", ".join(f"${name} as {name}" for name in row)
        connection.execute("create schema marts")
        connection.execute(
            f"create table marts.exceptions as select {columns}, 'OPEN' as status, null::timestamp as resolved_at", row
        )
    with mail_sink() as mails, web_sink() as (port, posts):
        sender = f"mailto://127.0.0.1:{mails.port}?from=tieout@books.example&to=finance@books.example"
        monkeypatch.setenv("TIEOUT_ALERT_URLS_MAIL", sender)
        monkeypatch.setenv("TIEOUT_ALERT_URLS_HOOK", f"json://127.0.0.1:{port}/")
        assert len(look(noon).sent) == 2
        assert look(later(noon, 1)).sent == [], "told already"
    (mail,), (post,) = mails.mails, posts
    assert "finance@books.example" in str(mail["To"])
    for text in (mails.text(0), post["title"] + post["message"]):
        for part in (
            "SET-009", "FINANCE", "12.50 GBP", "500 other records", "2026-07-03 15:00 UTC, in 4 hours", "NEW_FEE_1",
            "docs/runbooks.md#set-009", "https://tieout.example/exceptions?code=SET-009", "tieout alerts ack ",
        ):  # fmt: skip
            assert part in text, part
    assert mails.text(0, "html") == "", "plain text: what a vendor wrote is shown, not run"
    with AlertStore(noon.state_path) as store:
        (first, second) = store.report(since="2026-07-03")
    assert {first["channel"], second["channel"]} == {"MAIL", "HOOK"}
    assert [(row["messages"], row["items"], row["consequences"]) for row in (first, second)] == [(1, 1, 500)] * 2


def test_many_exceptions_of_one_kind_are_one_message_and_each_kind_is_its_own(noon: Settings) -> None:
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,,4,,,")
    rows = [finding(n) for n in range(40)] + [finding(n, "BNK-001", owner_team="FINANCE") for n in range(2)]
    sent = tell(noon, causes_of(rows)).sent
    assert [title.split(": ")[1] for title in sent] == [
        "S1 BRICO BNK-001 Type not mapped",
        "S1 BRICO SET-009 Type not mapped",
    ]
    assert "40 open" in sent[1]
    assert "500.00 GBP" in sent[1]


def test_more_of_the_same_waits_unless_it_is_worse(noon: Settings) -> None:
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,,4,,,")
    first, second, grave = finding(1, severity="S2"), finding(2, severity="S2"), finding(3, severity="S1")
    assert len(tell(noon, causes_of([first])).sent) == 1
    soon = tell(later(noon, 1), causes_of([first, second]))
    assert (soon.sent, [reason for _, reason in soon.held]) == ([], ["REPEAT"])
    assert "2 of them new" in tell(later(noon, 1), causes_of([first, second, grave])).sent[0]
    assert tell(later(noon, 9), causes_of([first, second, grave])).sent == []
    assert tell(later(noon, 10), []).sent == []
    assert len(tell(later(noon, 11), causes_of([first])).sent) == 1, "one that comes back is news"


def test_what_somebody_has_is_silent_until_it_becomes_worse(noon: Settings) -> None:
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,,0,2,LEAD,")
    one, two, three = finding(1, severity="S2"), finding(2, severity="S2"), finding(3, severity="S2")
    (cause,) = causes_of([one])
    tell(noon, [cause])
    with AlertStore(noon.state_path) as store:
        store.acknowledge(
            cause.key, team="FINANCE", at="2026-07-03", by="Anna", reason="asked", severity="S2", amounts=cause.amounts
        )
    assert tell(later(noon, 3), causes_of([one, two])).held == [(cause.key, "ACKNOWLEDGED")]
    assert len(tell(later(noon, 3), causes_of([one, two, three])).sent) == 1, "three times the money"


def test_what_nobody_took_in_time_is_told_to_the_next_once(noon: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,,4,2,LEAD,")
    causes = causes_of([finding(due_at=DUE + timedelta(days=6))])
    with web_sink() as (port, posts):
        monkeypatch.setenv("TIEOUT_ALERT_URLS_LEAD", f"json://127.0.0.1:{port}/")
        tell(noon, causes)
        tell(later(noon, 1), causes)
        assert posts == []
        tell(later(noon, 3), causes)
        tell(later(noon, 9), causes)
    assert ["not taken for 3 hours" in post["title"] for post in posts] == [True]


def test_nights_are_quiet_but_for_what_may_wake_people(noon: Settings) -> None:
    routed(noon, "FINANCE,MAIL,S2,18:30,07:30,S1,Europe/London,,4,,,")
    night = later(noon, 8)
    mild, grave = finding(severity="S2"), finding(1, "BNK-001")
    done = tell(night, causes_of([mild, grave]))
    assert (len(done.sent), [reason for _, reason in done.held]) == (1, ["QUIET"])
    assert len(tell(later(night, 13), causes_of([mild, grave])).sent) == 1, "in the morning"
    (route,) = load_routes(noon)
    at = [datetime(2026, 7, 3, hour, 0, tzinfo=UTC) for hour in (6, 7, 17, 18, 23)]  # London is an hour ahead
    assert [is_quiet(route, one, "S2") for one in at] == [True, False, False, True, True]


def test_a_flood_stops_at_the_budget_and_says_what_waits(noon: Settings) -> None:
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,3,4,,,08:00")
    rows = [finding(1, f"SET-{number:03}") for number in range(1, 10)]
    sent = tell(noon, causes_of(rows)).sent
    assert len(sent) == 5
    assert sent[3] == "Tieout: 6 more causes wait for FINANCE"
    assert sent[4].startswith("Tieout today for FINANCE: 9 open from 9 causes")
    assert tell(later(noon, 1), causes_of(rows)).sent == []
    with AlertStore(noon.state_path) as store:
        (day,) = store.report(since="2026-07-03")
    assert (day["messages"], day["digests"], day["held_budget"]) == (5, 1, 6)
    routed(noon, "FINANCE,MAIL,S2,18:30,07:30,S1,Europe/London,3,4,,,08:00")
    grave = [*rows, finding(1, "BNK-001")]
    assert len(tell(later(noon, 1), causes_of(grave)).sent) == 7, "what may wake people does not wait"
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,3,4,,,08:00")
    rows = [finding(1, f"PAY-{number:03}") for number in range(1, 10)]
    assert len(tell(later(noon, 24), causes_of(rows)).sent) == 5, "another day: three more, what waits, the digest"


def test_a_message_that_was_not_taken_leaves_again(noon: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    routed(noon, "FINANCE,HOOK,S2,,,,Europe/London,,4,,,")
    monkeypatch.setenv("TIEOUT_ALERT_URLS_HOOK", "json://127.0.0.1:9/")
    causes = causes_of([finding()])
    assert tell(noon, causes).sent == []
    with web_sink() as (port, posts):
        monkeypatch.setenv("TIEOUT_ALERT_URLS_HOOK", f"json://127.0.0.1:{port}/")
        assert len(tell(noon, causes).sent) == 1
    assert len(posts) == 1


def test_each_team_hears_its_own_and_a_broken_file_silences_nobody(noon: Settings) -> None:
    routed(noon, "FINANCE,BOOKS,S1,,,,Europe/London,,4,,,", "*,DEFAULT,S2,,,,Europe/London,,4,,,")
    routes = load_routes(noon)
    assert [route.channel for route in routes_of(routes, "FINANCE")] == ["BOOKS"]
    assert [route.channel for route in routes_of(routes, "OPERATIONS")] == ["DEFAULT"]
    assert tell(noon, causes_of([finding(severity="S2")])).sent == [], "finance asked for S1 only"
    (noon.config_dir / "alert_routes.csv").unlink()
    assert [route.channel for route in load_routes(noon)] == ["DEFAULT"]


def test_the_same_problem_of_a_lane_is_not_told_every_minute(noon: Settings, caplog: pytest.LogCaptureFixture) -> None:
    key = problem_key("orders", [("extract", "sage200/SAGE_UK")] * 3)
    assert key != problem_key("orders", [("extract", "sage200/SAGE_UK"), ("load", None)])
    for hours in (0, 0.1, 1, 5):
        assert notify(later(noon, hours), Alert("Tieout: orders has problems", "down"), key=key)
    told = [record for record in caplog.records if record.name == "tieout.alerts"]
    assert len(told) == 2


def test_the_store_is_shared_with_the_feeds_state(noon: Settings, tmp_path: Path) -> None:
    with AlertStore(noon.state_path) as store:
        assert store.acknowledged() == {}
    assert noon.state_path.is_file()


def test_a_file_that_an_older_version_published_waits_for_the_next_build(noon: Settings) -> None:
    noon.published_dir.mkdir(parents=True)
    with duckdb.connect(str(noon.published_path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.exceptions as select 'a' as exception_id, 'OPEN' as status")
    routed(noon, "FINANCE,MAIL,S2,,,,Europe/London,,4,,,")
    assert look(noon).sent == []
