"""A definition's keys are gathered once, and a part of a definition has those of its part."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.assets.job.asset_layer import AssetLayer

from orchestration.lib.asset_keys import gather_once


def test_keys_and_checks_are_gathered_once_and_for_each_part_anew() -> None:
    gather_once()
    gather_once()  # more than one module may ask for it

    @dg.multi_asset(
        specs=[dg.AssetSpec("orders", skippable=True), dg.AssetSpec("lines", skippable=True)],
        check_specs=[dg.AssetCheckSpec("unique", asset="orders"), dg.AssetCheckSpec("unique", asset="lines")],
        can_subset=True,
    )
    def models(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        """Never run."""

    orders, lines = dg.AssetKey("orders"), dg.AssetKey("lines")
    checks = {dg.AssetCheckKey(key, "unique") for key in (orders, lines)}
    whole = models.asset_and_check_keys
    assert whole == {orders, lines, *checks}
    assert models.asset_and_check_keys is whole

    part = models.subset_for({orders}, selected_asset_check_keys=set())
    assert part.asset_and_check_keys == {orders}
    assert models.asset_and_check_keys == whole


def _looks(outputs: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often Dagster looks for the asset of an output, in a step with so many of them."""
    gather_once()
    looks = 0
    usual = AssetLayer.get_asset_key_for_node_output

    def counted(layer: AssetLayer, *arguments: Any, **named: Any) -> dg.AssetKey | None:
        nonlocal looks
        looks += 1
        return usual(layer, *arguments, **named)

    @dg.multi_asset(specs=[dg.AssetSpec(f"model_{number}") for number in range(outputs)])
    def models() -> Iterator[dg.MaterializeResult[None]]:
        for number in range(outputs):
            yield dg.MaterializeResult(asset_key=f"model_{number}")

    with monkeypatch.context() as patched:
        patched.setattr(AssetLayer, "get_asset_key_for_node_output", counted)
        assert dg.materialize([models]).success
    return looks


def test_keys_of_outputs_are_not_gathered_for_every_output(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_looks(outputs, monkeypatch) for outputs in (10, 80))
    assert few
    assert many < 12 * few  # eight times as many outputs; each times each would be sixty-four


def test_an_asset_before_what_it_hangs_on_is_still_refused() -> None:
    gather_once()

    @dg.multi_asset(specs=[dg.AssetSpec("orders"), dg.AssetSpec("lines", deps=["orders"])])
    def models() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult(asset_key="lines")
        yield dg.MaterializeResult(asset_key="orders")

    with pytest.raises(dg.DagsterInvariantViolationError, match="was yielded before its dependency"):
        dg.materialize([models])
