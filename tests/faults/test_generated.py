"""A small part of `make faults`: every parser with generated input."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.records import Decoded
from tests.faults import generated
from tests.faults.generated import families, parsers, try_parser

SIZE = 3_000


def test_no_generated_input_crashes_a_parser(tmp_path: Path) -> None:
    tallies = dict(families(SIZE, tmp_path))
    assert {name: tally.failures for name, tally in tallies.items() if not tally.holds} == {}
    assert sum(tally.tried for tally in tallies.values()) >= SIZE * 0.9
    for name, tally in tallies.items():
        assert tally.refused > 0, name
        assert tally.read > 0, name
    assert len(parsers()) > 100


@pytest.mark.parametrize("spoiled", ["crashed", "lost", "duplicated", "leaked"])
def test_the_judge_notices(monkeypatch: pytest.MonkeyPatch, spoiled: str) -> None:
    """Each count moves when a decoder does what it counts."""
    make = parsers()["sage200/customers"]

    def broken(body: bytes) -> Decoded:
        _, parse = make(generated.random.Random(1))
        decoded = parse(body)
        if spoiled == "crashed":
            raise KeyError("order_lines")
        root = next(iter(decoded.tables))
        if spoiled == "lost":
            decoded.tables[root] = decoded.tables[root].slice(0, 0)
            decoded.rejects.clear()
        if spoiled == "duplicated":
            decoded.tables[root] = generated_twice(decoded.tables[root])
        if spoiled == "leaked":
            decoded.unknown_values[f"name={generated.CANARY}"] += 1
        return decoded

    def generated_twice(table: object) -> object:
        import pyarrow as pa

        return pa.concat_tables([table, table])

    monkeypatch.setattr(generated, "parsers", lambda: {"broken": lambda chance: (make(chance)[0], broken)})
    tally = try_parser("broken", range(40))
    assert getattr(tally, spoiled) > 0
    assert not tally.holds
