"""How long closing one large month takes, evidence pack and its verification included, and with how much memory.

    python -m benchmarks.close --published .tieout/demo/data/published/tieout.duckdb --lines 500000

The published file of a demo is multiplied as for `benchmarks.pages`, until the entity's largest month has that many
settlement lines. A process of its own then reads the month as `tieout close` does, writes the pack and verifies it.
`python -m benchmarks.page benchmarks/results/close.json` publishes the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import machine, measure
from benchmarks.pages import multiply
from orchestration.close.pack import write_pack
from orchestration.close.reading import read_close
from orchestration.close.verify import verify_pack
from orchestration.lib.published import Published
from orchestration.lib.settings import Settings
from orchestration.outbox import Outbox

LARGEST = """
    select cycles.entity_code, strftime(cycles.cycle_date, '%Y-%m') as period, count(*) as lines,
        (select count(*) from marts.fct_settlement_lines) as all_lines
    from marts.fct_settlement_lines as lines inner join marts.fct_cycles as cycles
        on lines.marketplace_code = cycles.marketplace_code and lines.billing_cycle_id = cycles.billing_cycle_id
    inner join marts.clearing_rollforward as held
        on lines.marketplace_code = held.marketplace_code and held.period = strftime(cycles.cycle_date, '%Y-%m')
        and held.account_role = 'MARKETPLACE_CLEARING'
    group by all order by lines desc, cycles.entity_code, period limit 1
"""


def largest_month(published: Path) -> tuple[str, str, int, int]:
    """Entity and month with most settlement lines, how many those are, and how many there are in all."""
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute(LARGEST).fetchone()
    if row is None:
        raise SystemExit(f"{published} has no month to close")
    return str(row[0]), str(row[1]), int(row[2]), int(row[3])


def close(data: Path, entity: str, period: str) -> dict[str, Any]:
    """Read, pack and verify; seconds of each."""
    settings = Settings(data_dir=data)
    began = time.monotonic()
    read = read_close(Published(settings.published_path), entity, period)
    if read is None:
        raise SystemExit(f"{entity} has no {period}")
    seconds = {"read": time.monotonic() - began}
    outbox = Outbox(settings.outbox_address, settings.clock)
    began = time.monotonic()
    pack = write_pack(settings, settings.published_path, outbox, entity, period, data / "packs")
    seconds["pack"] = time.monotonic() - began
    outbox.close()
    began = time.monotonic()
    report = verify_pack(pack.archive)
    seconds["verify"] = time.monotonic() - began
    return {
        "checks": len(read.checks),
        "problems": report.problems[:5],
        "rows": report.rows,
        "pack_bytes": pack.archive.stat().st_size,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", type=Path)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("DATA", "ENTITY", "PERIOD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        data, entity, period = options.one
        sys.stdout.write(json.dumps(close(Path(data), entity, period)) + "\n")
        return
    if options.published is None:
        parser.error("--published is missing: the published file of a demo")
    entity, period, month_lines, all_lines = largest_month(options.published)
    with tempfile.TemporaryDirectory(prefix="close-") as folder:
        settings = Settings(data_dir=Path(folder))
        settings.published_path.parent.mkdir(parents=True)
        multiply(options.published, settings.published_path, -(-options.lines * all_lines // month_lines))
        command = [sys.executable, "-m", "benchmarks.close", "--one", folder, entity, period]
        measured = measure(command, os.environ)
        result = {
            "machine": machine(),
            "commit": subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
            ).stdout.strip(),
            "date": datetime.now(UTC).date().isoformat(),
            "entity_code": entity,
            "period": period,
            "month_lines": largest_month(settings.published_path)[2],
            "seconds": round(measured.seconds, 2),
            "peak_bytes": measured.peak_bytes,
            **{f"close_{name}": value for name, value in measured.answer.items()},
        }
    text = json.dumps(result, indent=2)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n")
    else:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
