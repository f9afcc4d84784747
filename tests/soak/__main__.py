"""`make soak DAYS=365 EVERY=15`: a simulated year, with what it cost in memory and on the disk.

Ends with 1 when a pay-out is not explained, clearing does not tie, an action is unresolved or something was edited.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from sandbox.config import Places
from sandbox.demo_site import PIPE_WIDTH, empty
from tests.soak.report import publish
from tests.soak.year import Year, play


def main() -> int:
    parser = argparse.ArgumentParser(description="A simulated year.")
    parser.add_argument("--days", type=int, default=365, help="how many days pass")
    parser.add_argument("--every", type=int, default=1, help="every how many days customers order and the lanes run")
    parser.add_argument("--orders", type=int, default=4, help="new orders on such a day")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", type=Path, default=Path(".tieout/soak"))
    parser.add_argument("--json", type=Path, help="write the figures there, after every day")
    parser.add_argument("--publish", type=Path, help="write figures and charts into this page")
    options = parser.parse_args()
    out = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    places = Places(options.dir.absolute())
    empty(places)

    def save(year: Year) -> None:
        if options.json is not None:
            options.json.write_text(json.dumps(asdict(year), indent=1) + "\n", encoding="utf-8")

    year = play(
        places, out, days=options.days, every=options.every, orders=options.orders, seed=options.seed, save=save
    )
    if options.publish is not None:
        publish(year, options.publish, f"make soak DAYS={options.days} EVERY={options.every}")
    for problem in year.problems:
        out.print(f"[red]✗[/red] {problem}", soft_wrap=True)
    if not year.problems:
        out.print(f"[bold green]{year.simulated_days} days: every pay-out explained, clearing tied.[/bold green]")
    return 1 if year.problems else 0


if __name__ == "__main__":
    sys.exit(main())
