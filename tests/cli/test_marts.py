"""The small published file of these tests has the columns of the real marts, so that a renamed column turns them
red.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from .marts import SCHEMAS

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
CONTRACTS = {
    model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
    for path in MODELS.rglob("*.yml")
    for model in yaml.safe_load(path.read_text()).get("models", [])
}


@pytest.mark.parametrize("mart", sorted(SCHEMAS))
def test_every_column_is_in_the_marts_contract_with_the_same_type(mart: str) -> None:
    contract = CONTRACTS[mart]
    wrong = {
        name: (kind, contract.get(name))
        for name, kind in SCHEMAS[mart].items()
        if contract.get(name, "").replace(" ", "").upper() != kind.replace(" ", "").upper()
    }
    assert wrong == {}
