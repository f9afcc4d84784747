"""The second bank account: what its files tell adds up, and lacks exactly what is planted."""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from sandbox.world import World


def mt940_of(world: World) -> list[str]:
    return [f.content.decode() for f in world.bank if f.account == "BARC_RES" and f.name.endswith(".sta")]


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def balance(text: str, tag: str) -> Decimal:
    return amount(re.findall(rf"^:{tag}:C\d{{6}}GBP([\d,]+)", text, re.MULTILINE)[0])


def breaks(texts: list[str]) -> list[Decimal]:
    pairs = pairwise(texts)
    gaps = [balance(later, "60F") - balance(earlier, "62F") for earlier, later in pairs]
    return [gap for gap in gaps if gap]


def test_every_statement_adds_up_and_follows_the_one_before(clean: World) -> None:
    texts = mt940_of(clean)
    assert len(texts) == 6
    for text in texts:
        entries = re.findall(r"^:61:\d{10}([CD])([\d,]+)N", text, re.MULTILINE)
        total = sum((amount(value) if mark == "C" else -amount(value) for mark, value in entries), Decimal(0))
        assert entries
        assert balance(text, "60F") + total == balance(text, "62F")
    assert breaks(texts) == []


def test_the_export_of_the_newest_days_repeats_the_last_two_and_ends_on_the_ledger(clean: World) -> None:
    (export,) = (f.content.decode() for f in clean.bank if f.account == "BARC_RES" and f.name.endswith(".ofx"))
    last = mt940_of(clean)[-1]
    entries = dict(re.findall(r"<TRNAMT>([\d.-]+)</TRNAMT><FITID>([^<]+)</FITID>", export))
    known = [reference for reference in entries.values() if f"//{reference}" in last]
    assert known, "one entry in two files"
    newer = sum((Decimal(value) for value, reference in entries.items() if reference not in known), Decimal(0))
    (ledger,) = re.findall(r"<BALAMT>([\d.]+)</BALAMT>", export)
    assert Decimal(ledger) == balance(last, "62F") + newer


def test_one_statement_is_missing_and_one_reference_stands_twice(faulty: World) -> None:
    texts = mt940_of(faulty)
    assert len(texts) == 5
    told = {e["exception_code"]: e for e in faulty.truth["exceptions"] if e["marketplace_code"] == "*"}
    assert breaks(texts) == [told["DAT-002"]["amount"]]
    reference = told["DAT-003"]["subject_id"].removeprefix("BARC_RES-")
    assert [text.count(f"//{reference}") for text in texts if reference in text] == [1, 1]


def test_only_the_bank_that_stopped_is_silent(clean: World, faulty: World) -> None:
    def ends(world: World) -> dict[str, date]:
        exports = [f for f in world.bank if f.name.endswith(".ofx")]
        found = {f.account: re.findall(r"<DTEND>(\d{8})", f.content.decode())[0] for f in exports}
        return {account: date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}") for account, day in found.items()}

    today = clean.as_of.astimezone(ZoneInfo("Europe/London")).date()
    assert ends(clean) == {"BARC_RES": today, "BARC_DEP": today}
    silent = {f"{account}-statements" for account, end in ends(faulty).items() if today - end > timedelta(days=7)}
    assert silent == {e["subject_id"] for e in faulty.truth["exceptions"] if e["exception_code"] == "DAT-001"}
