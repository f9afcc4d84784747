"""`tieout storage`."""

from __future__ import annotations

from orchestration.cli.output import NOTHING, Col, console, print_json, table
from orchestration.cli.session import Session

PARTS = (
    Col("name", "What"),
    Col("files", "Files", "number"),
    Col("megabytes", "MB", "number"),
    Col("per_million", "MB per million records", "number"),
)


def storage_command(session: Session) -> None:
    """What the data folder takes, part by part."""
    from orchestration.lib.storage import storage

    found = storage(session.settings)
    if session.as_json:
        print_json(
            {
                "records": found.records,
                "received_bytes": found.received_bytes,
                "first_day": found.first_day,
                "last_day": found.last_day,
                "parts": [
                    {
                        "name": part.name,
                        "files": part.files,
                        "bytes": part.byte_count,
                        "bytes_per_million_records": _whole(found.per_million(part.byte_count)),
                    }
                    for part in found.parts
                ],
            }
        )
        return
    rows = [
        {
            "name": part.name,
            "files": part.files,
            "megabytes": round(part.byte_count / 1e6, 1),
            "per_million": _megabytes(found.per_million(part.byte_count)),
        }
        for part in found.parts
    ]
    out = console()
    out.print(table(rows, PARTS))
    days = NOTHING if found.first_day is None else f"{found.first_day} to {found.last_day}"
    out.print(
        f"{found.byte_count / 1e6:,.1f} MB in all for {found.records:,} records received {days} "
        f"({found.received_bytes / 1e6:,.1f} MB as they came).",
        markup=False,
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _megabytes(value: float | None) -> float | None:
    return None if value is None else round(value / 1e6, 1)
