"""The vendors of several seeds at once, each a process of its own, and one configuration and environment for them all.

Every seed's world bears the seed as its number (sandbox/world/business.py): BRICO17 is the marketplace of seed 17.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.config import CODES, Places, read_environment
from sandbox.serve import serve
from tests.accuracy.scenarios import Scenario

STARTS_WITHIN = 300.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Vendors:
    """What a pipeline needs to read them: `environment` names the merged configuration; the rest is by number."""

    environment: dict[str, str]
    urls: Mapping[int, str]
    places: Mapping[int, Places]


@contextmanager
def running_vendors(scenarios: Sequence[Scenario], folder: Path) -> Iterator[Vendors]:
    """Starts them below `folder`, an empty one, and stops them in the end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.accuracy.vendors"])
    places = {scenario.number: Places(folder / f"seed-{scenario.number}") for scenario in scenarios}
    processes = {
        scenario.number: context.Process(target=_serve, args=(scenario, places[scenario.number].root), daemon=True)
        for scenario in scenarios
    }
    try:
        for process in processes.values():
            process.start()
        deadline = time.monotonic() + STARTS_WITHIN
        for number, process in processes.items():
            while not places[number].address.exists():
                if not process.is_alive() or time.monotonic() > deadline:
                    raise RuntimeError(f"the vendors of world {number} did not start")
                time.sleep(0.05)
        urls = {number: json.loads(place.address.read_text("utf-8"))["url"] for number, place in places.items()}
        merged = folder / "config"
        merge_configurations([place.config for place in places.values()], merged)
        environment: dict[str, str] = {}
        for place in places.values():
            environment |= read_environment(place.env)
        yield Vendors(environment | {"TIEOUT_CONFIG_DIR": str(merged)}, urls, places)
    finally:
        for process in processes.values():
            if process.is_alive():
                process.terminate()
        for process in processes.values():
            if process.pid is not None:
                process.join(10)


def _serve(scenario: Scenario, folder: Path) -> None:
    serve(
        folder,
        port=0,
        orders=scenario.orders,
        seed=scenario.seed,
        as_of=scenario.as_of,
        marketplaces=scenario.marketplaces,
        erp="netsuite" if scenario.erp == "netsuite" else "sage200",
        number=scenario.number,
        currency="EUR" if scenario.currency == "EUR" else "GBP",
        settlement_led=scenario.settlement_led,
        report=lambda text: None,
    )


def merge_configurations(folders: Sequence[Path], target: Path) -> None:
    """One folder with the rows of all, each row once."""
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted({path.name for folder in folders for path in folder.glob("*.csv")}):
        rows: dict[tuple[str, ...], None] = {}
        header: list[str] = []
        for folder in folders:
            header, *found = csv.reader(io.StringIO((folder / name).read_text("utf-8")))
            rows |= dict.fromkeys(tuple(row) for row in found)
        with (target / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


class Owners:
    """Whose a row of a mart is, by the codes of the configuration in it."""

    def __init__(self, places: Mapping[int, Places]) -> None:
        self._numbers: dict[str, int] = {}
        for number, place in places.items():
            for path in place.config.glob("*.csv"):
                for row in csv.DictReader(io.StringIO(path.read_text("utf-8"))):
                    self._numbers |= {row[name]: number for name in CODES if row.get(name) not in (None, "", "*")}

    def of(self, *texts: str | None) -> int | None:
        """The world's number of the first code in the first text that has one; None when there is none."""
        for text in texts:
            for word in re.findall(r"[A-Z_]+\d+", text or ""):
                if word in self._numbers:
                    return self._numbers[word]
        return None
