"""`python -m sandbox.world --orders 300 --out DIR`: the world as JSON files, to look at."""

import argparse
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.jsonio import encode
from sandbox.world import DEFAULT_AS_OF, MARKETPLACES, World, build_world, configuration_rows


def write_world(world: World, folder: Path) -> None:
    """One JSON file per feed under `folder`.

    They are mirakl/<marketplace>/, sage200/, netsuite/<ERP>/, bank/<account>/, truth.json and configuration.json.
    """
    for marketplace, side in world.mirakl.items():
        target = folder / "mirakl" / marketplace
        for field in fields(side):
            content = getattr(side, field.name)
            if field.name == "invoice_files":
                for document, file in content.items():
                    _put(target / "invoice_files" / f"{document}.pdf", file)
            elif content and field.name != "perspective":
                _write(target / f"{field.name}.json", list(content.values()) if field.name == "orders" else content)
    if world.sage is not None:
        for name, rows in {"sites": world.sage.sites, **world.sage.tables}.items():
            _write(folder / "sage200" / f"{name}.json", rows)
    for code, account in world.netsuite.items():
        for name, table in account.tables.items():
            _write(folder / "netsuite" / code / f"{name}.json", table)
    for file in world.bank:
        _put(folder / "bank" / file.account / file.name, file.content)
    _write(folder / "truth.json", world.truth)
    _write(folder / "configuration.json", configuration_rows())


def _write(path: Path, content: Any) -> None:
    _put(path, encode(content) + b"\n")


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--as-of", type=datetime.fromisoformat, default=DEFAULT_AS_OF)
    parser.add_argument("--without-faults", action="store_true")
    parser.add_argument("--marketplaces", default=",".join(MARKETPLACES), help="codes, separated by commas")
    parser.add_argument("--erp", choices=("sage200", "netsuite"), default="sage200", help="where BRICO's books are")
    parser.add_argument("--currency", choices=("GBP", "EUR"), default="GBP", help="what BRICO trades in")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    chosen = parser.parse_args(arguments)
    world = build_world(
        chosen.seed,
        chosen.orders,
        chosen.as_of,
        not chosen.without_faults,
        chosen.marketplaces.split(","),
        chosen.erp,
        currency=chosen.currency,
    )
    write_world(world, chosen.out)
    for code, side in world.mirakl.items():
        sizes = f"{len(side.orders)} orders, {len(side.transaction_lines)} lines, {len(side.cycles)} cycles"
        sys.stdout.write(f"{code}: {sizes}\n")
    sys.stdout.write(f"{len(world.truth['exceptions'])} exceptions in the truth -> {chosen.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
