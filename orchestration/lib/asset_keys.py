"""The keys of a multi-asset, gathered once.

Dagster makes the set of an asset definition's keys anew whenever it asks for it, which is for every output of a step
and, where outputs hang on each other, for every output times every output. With seven hundred models and checks in one
step that was five of a lane's eighty seconds under Python's lock.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import dagster as dg


def gather_once() -> None:
    """From now on each asset definition of this process keeps the set; a definition never changes its keys."""
    kind: Any = dg.AssetsDefinition
    usual = kind.asset_and_check_keys
    if not isinstance(usual, property):  # done already
        return
    assert usual.fget is not None
    kept = cached_property(usual.fget)
    kept.__set_name__(kind, "asset_and_check_keys")
    kind.asset_and_check_keys = kept
