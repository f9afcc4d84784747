"""Where a figure comes from: file and record of each vendor's answer that an id stands in, and the record itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from app.asking import Ask, NotHere, Page
from app.rendering import evidence_address
from app.tables import Column, Row, Table
from orchestration.lib.evidence_index import Place, Shown, shown
from orchestration.lib.figure_evidence import places_of

MOST_IDS = 20
LONGEST_ID = 300


def show(ask: Ask) -> Page:
    """The records of the ids in the address, newest first, and one of them as the vendor sent it."""
    ids = list(dict.fromkeys(one.strip()[:LONGEST_ID] for one in ask.request.query_params.getlist("id")))[:MOST_IDS]
    ids = [one for one in ids if one]
    if not ids:
        raise NotHere("Evidence of what? Follow a figure, or explain an id.")
    market = ask.asked.get("of", "")
    places = _places(ask, ids, market)
    chosen = _chosen(ask, places)
    rows = [
        {**asdict(one), "line": one.position + 1, "feed": f"{one.vendor} {one.entity}", "to": _to(ids, market, one)}
        for one in places
    ]
    table = Table(
        "Records that name it",
        (
            Column("feed", "Record of", "code", lambda row: str(row["to"])),
            Column("account", "Account", "code"),
            Column("named", "Named as", "code"),
            Column("line", "Record", "number"),
            Column("fetched_at", "Fetched (UTC)", "moment"),
            Column("file", "In the file", "text"),
        ),
        rows,
        name="places",
        page_rows=15,
        nothing=(
            "No record of the evidence names it. Tieout made it itself (a journal that no ERP holds yet, a sum), "
            "it has no record of its own, or it came after the last run."
        ),
    )
    values = {"ids": ids, "chosen": chosen, "seen": _seen(ask, chosen)}
    return Page("evidence.html", f"Evidence of {ids[0]}", values, {"places": table})


def _places(ask: Ask, ids: list[str], market: str) -> list[Place]:
    try:
        return places_of(ask.settings, ask.published, ids, market)
    except FileNotFoundError:
        raise NotHere(
            "The next run makes the index of the evidence. Until then: `tieout evidence ID` on the machine that runs."
        ) from None


def _chosen(ask: Ask, places: list[Place]) -> Place | None:
    file, record = ask.asked.get("file", ""), ask.asked.get("record", "")
    named = (one for one in places if one.file == file and str(one.position + 1) == record)
    return next(named, places[0] if places else None)


def _seen(ask: Ask, chosen: Place | None) -> Shown | None:
    return None if chosen is None else shown(ask.settings, chosen)


def _to(ids: list[str], market: str, place: Place) -> str:
    chosen: Row | dict[str, Any] = {"file": place.file, "record": place.position + 1}
    return f"{evidence_address(ids, market)}&{urlencode(chosen)}#record"
