"""A definition's keys are gathered once, and a part of a definition has those of its part."""

import dagster as dg

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
