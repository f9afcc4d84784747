from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from tests.contracts.published import ContractsMissing, Document, Side, contracts_folder, load, strict


@pytest.fixture(scope="session")
def folder() -> Path:
    """Mirakl's published documents. Absent on a plain clone: skipped there, an error in CI."""
    try:
        return contracts_folder()
    except ContractsMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def require_contracts() -> None:
    """For a module whose cases come from the documents: skip it without them, fail in CI."""
    try:
        contracts_folder()
    except ContractsMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing), allow_module_level=True)


@functools.cache
def document(side: Side) -> Document:
    """The document as published; parsed once. Raises ContractsMissing."""
    return load(contracts_folder(), side)


@functools.cache
def strict_document(side: Side) -> Document:
    return strict(contracts_folder(), side)
