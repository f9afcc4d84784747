"""The keys of a multi-asset, gathered once.

Dagster makes the set of an asset definition's keys anew whenever it asks for it, which is for every output of a step
and, where outputs hang on each other, for every output times every output; and so it does with the keys of a step's
outputs. With seven hundred models and checks in one step that was five and one of a lane's eighty seconds under
Python's lock.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import dagster as dg
from dagster._core.execution.context.system import StepExecutionContext


def gather_once() -> None:
    """From now on each asset definition of this process keeps the set, which never changes, and so does the context of
    a step: what is selected of a run is settled before its steps begin.
    """
    kind: Any = dg.AssetsDefinition
    usual = kind.asset_and_check_keys
    if not isinstance(usual, property):  # done already
        return
    assert usual.fget is not None
    kept = cached_property(usual.fget)
    kept.__set_name__(kind, "asset_and_check_keys")
    kind.asset_and_check_keys = kept
    _keep_output_keys(StepExecutionContext)


def _keep_output_keys(kind: Any) -> None:
    usual = kind.get_output_asset_keys
    kept = cached_property(lambda context: frozenset(usual(context)))
    kept.__set_name__(kind, "_output_asset_keys")
    kind._output_asset_keys = kept
    kind.get_output_asset_keys = lambda context: context._output_asset_keys
