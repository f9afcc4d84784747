"""Plays worked examples: one sandbox, one installation, one run of the settlement lane, all examples on both ERPs."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sandbox import jsonio
from sandbox.config import Places
from sandbox.demo_site import end_process, environment_of, wait_for
from sandbox.examples.format import Example, ExampleError, mutations, read
from sandbox.examples.judge import Figures, actual_figures, differences, expected_figures
from sandbox.warm import tieout, warm_up


@dataclass(frozen=True, slots=True)
class Outcome:
    examples: list[Example]
    mutations: list[tuple[str, Figures]]
    """What each example would expect at both marketplaces with a penny more in one amount of its file."""
    expected: Figures
    actual: Figures
    seconds: float

    @property
    def problems(self) -> list[str]:
        return differences(self.expected, self.actual)

    @property
    def _played(self) -> dict[str, int]:
        """At how many marketplaces each example was played."""
        return {example.name: len(example.marketplaces) for example in self.examples}

    def unnoticed_mutations(self) -> list[str]:
        """Amounts that could be a penny higher in a file without both marketplaces' figures saying so: always none."""
        return [
            name
            for name, expected in self.mutations
            if len(differences(expected, {figure: self.actual.get(figure, 0) for figure in expected}))
            < self._played[name.split()[0]]
        ]


def play(paths: Sequence[Path], folder: Path) -> Outcome:
    """Plays the examples of `paths` in `folder`, which must be empty or not exist.

    Raises ExampleError when one cannot happen or the pipeline fails.
    """
    examples = read(paths)
    if folder.exists() and any(folder.iterdir()):
        raise ExampleError(f"{folder} is not empty; name another folder")
    places, started = Places(folder.absolute()), time.monotonic()
    warm_up()
    with _sandbox(places, paths):
        environment = environment_of(places)
        _tieout(environment, "run", "settlement")
        placed = jsonio.decode(places.truth.read_bytes())["examples"]
        if _write_off(examples, placed, places, environment):
            _tieout(environment, "run", "settlement")
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        actual = actual_figures(placed, _Marts(connection))
    mutated = [(name, expected_figures([each], placed)) for name, each in mutations(paths)]
    return Outcome(examples, mutated, expected_figures(examples, placed), actual, time.monotonic() - started)


def _tieout(environment: Mapping[str, str], *arguments: str) -> str:
    """What the command prints. Raises ExampleError when it fails."""
    run = tieout(arguments, environment)
    if run.exit_code != 0:
        raise ExampleError(f"`tieout {' '.join(arguments)}` ended with {run.exit_code}: {run.stdout}{run.stderr}")
    return run.stdout


def _write_off(
    examples: Sequence[Example],
    placed: Sequence[Mapping[str, Any]],
    places: Places,
    environment: Mapping[str, str],
) -> int:
    """Two people write off the exceptions that examples name: Anna asks, Ben approves. How many those are."""
    wanted = {example.name: example.write_offs for example in examples if example.write_offs}
    if not wanted:
        return 0
    with duckdb.connect(str(places.data / "published" / "tieout.duckdb"), read_only=True) as connection:
        found = _Marts(connection).rows(
            "select exception_id, marketplace_code, exception_code, subject_id from marts.exceptions"
        )
    ids = [
        row["exception_id"]
        for place in placed
        for row in found
        if row["marketplace_code"] == place["marketplace_code"]
        and row["exception_code"] in wanted.get(place["example"], ())
        and row["subject_id"] in {*place["cycles"], *place["orders"].values(), *place["receipts"]}
    ]
    for exception_id in ids:
        _tieout(environment, "write-off", exception_id, "--reason", "worked example", "--by", "anna")
    waiting = jsonio.decode(_tieout(environment, "decisions", "--state", "PROPOSED", "--json").encode())
    for row in waiting["decisions"]:
        _tieout(environment, "approve", row["decision_key"], "--by", "ben", "--reason", "worked example")
    return len(ids)


class _Marts:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str) -> list[dict[str, Any]]:
        found = self._connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def _sandbox(places: Places, paths: Sequence[Path]) -> Iterator[str]:
    places.root.mkdir(parents=True, exist_ok=True)
    log = places.root / "sandbox.log"
    code = (
        "import sys; from pathlib import Path; from sandbox.serve import serve; "
        "serve(Path(sys.argv[1]), port=0, marketplaces=('BRICO', 'HOMELY'), scenarios=[Path(p) for p in sys.argv[2:]])"
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(places.root), *(str(path.absolute()) for path in paths)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield wait_for(places, process, log)
    finally:
        end_process(process)
