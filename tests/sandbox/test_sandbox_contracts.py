"""The sandbox's index of Sage 200 against the published documents. Its answers are judged in `tests/contracts`."""

from pathlib import Path

import pytest
from contract_index import derive

from sandbox.sage_company import contract

pytestmark = pytest.mark.contracts


def test_the_index_of_names_types_and_lengths_is_the_published_one(contracts: Path) -> None:
    assert contract() == derive(contracts)
