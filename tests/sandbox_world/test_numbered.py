"""A world with a number is the world without one, under other codes: several of them can be read by one pipeline."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox import jsonio
from sandbox.config import CODES, Marketplaces, Places, write_config
from sandbox.world import ALL_MARKETPLACES, World, build_world

NUMBER = 17
CODE = re.compile(r"\b(BRICO|HOMELY|PLAZA|UKTRADE|NORTHHOME|PLAZAOPS|SAGE_UK|NS_UK|NS_HOME|[A-Z]{4}_[A-Z]{3})17\b")


def _build(number: int) -> World:
    return build_world(7, 250, marketplaces=ALL_MARKETPLACES, number=number)


def _unordered(rows: list[dict[str, Any]]) -> list[bytes]:
    return sorted(jsonio.encode_stable(row) for row in rows)


def test_a_number_changes_codes_and_nothing_else() -> None:
    plain, numbered = (
        _build(0).truth,
        jsonio.decode(CODE.sub(r"\1", jsonio.encode_stable(_build(NUMBER).truth).decode()).encode()),
    )
    for part, rows in jsonio.decode(jsonio.encode_stable(plain)).items():
        if isinstance(rows, list) and part != "preposted":
            assert _unordered(rows) == _unordered(numbered[part]), part


def test_two_numbered_worlds_share_no_code_and_no_company() -> None:
    one, other = _build(1), _build(2)
    assert set(one.mirakl).isdisjoint(other.mirakl)
    assert set(one.netsuite).isdisjoint(other.netsuite)
    companies = [account.account_id for world in (one, other) for account in world.netsuite.values()]
    companies += [world.sage.sites[0]["company_id"] for world in (one, other) if world.sage]
    assert len(set(companies)) == len(companies) == 4
    assert {file.account for file in one.bank}.isdisjoint(file.account for file in other.bank)


@pytest.mark.parametrize("number", [0, NUMBER])
def test_the_configuration_bears_the_number_in_every_code(tmp_path: Path, number: int) -> None:
    places = Places(tmp_path)
    write_config(places, "http://127.0.0.1:1", Marketplaces([f"BRICO{number or ''}"], number=number))
    for path in places.config.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                codes = {row[name] for name in CODES if row.get(name) not in (None, "", "*")}
                assert {code.endswith(str(NUMBER)) for code in codes} <= {number == NUMBER}, path.name
    with (places.config / "marketplaces.csv").open(encoding="utf-8", newline="") as file:
        served = [row["marketplace_code"] for row in csv.DictReader(file) if row["is_enabled"] == "true"]
    assert served == [f"BRICO{number or ''}"]
