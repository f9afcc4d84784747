"""`python -m sandbox.world --orders 300 --out DIR`: the world as JSON files, to look at."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.jsonio import encode
from sandbox.world import DEFAULT_AS_OF, World, build_world, configuration_rows


def write_world(world: World, folder: Path) -> None:
    """One JSON file per feed under `folder`: mirakl/<marketplace>/, sage200/, bank/, truth.json, configuration.json."""
    for marketplace, side in world.mirakl.items():
        target = folder / "mirakl" / marketplace
        for name, content in (
            ("account", side.account),
            ("platform", side.platform),
            ("carriers", side.carriers),
            ("orders", list(side.orders.values())),
            ("transaction_lines", side.transaction_lines),
            ("hidden_transaction_lines", side.hidden_transaction_lines),
            ("billing_cycles", side.cycles),
            ("invoices", side.invoices),
            ("offers", side.offers),
        ):
            _write(target / f"{name}.json", content)
    for name, rows in {"sites": world.sage.sites, **world.sage.tables}.items():
        _write(folder / "sage200" / f"{name}.json", rows)
    for file in world.bank:
        path = folder / "bank" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    _write(folder / "truth.json", world.truth)
    _write(folder / "configuration.json", configuration_rows())


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(content) + b"\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--as-of", type=datetime.fromisoformat, default=DEFAULT_AS_OF)
    parser.add_argument("--without-faults", action="store_true")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    chosen = parser.parse_args(arguments)
    world = build_world(chosen.seed, chosen.orders, chosen.as_of, faults=not chosen.without_faults)
    write_world(world, chosen.out)
    side = next(iter(world.mirakl.values()))
    sys.stdout.write(
        f"{len(side.orders)} orders, {len(side.transaction_lines)} transaction lines, {len(side.cycles)} cycles, "
        f"{len(world.truth['exceptions'])} exceptions in the truth -> {chosen.out}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
