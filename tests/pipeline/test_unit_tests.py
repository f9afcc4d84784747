"""dbt's unit tests: each rule on rows written by hand, for both ERPs, in the relations of a finished installation."""

from __future__ import annotations

import pytest

from orchestration.lib import dbt
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import exclusive
from tests.pipeline.site import Site

pytestmark = pytest.mark.pipeline


def test_every_rule_holds_on_rows_written_by_hand(finished: Site) -> None:
    settings = Settings(data_dir=finished.data_dir, config_dir=finished.sandbox_dir / "config")
    assert set(dbt.vendors(settings)) >= {"mirakl", "bank", "sage200", "netsuite"}
    image = dbt.ensure_manifest(settings).with_suffix(".msgpack")
    with exclusive(settings):
        result = dbt._invoke(
            dbt.arguments("test", settings, select=("test_type:unit",)), settings, None, dbt._manifest(image)
        )
    assert result.error is None
    assert [(node.name, node.status, node.message) for node in result.nodes if node.status != "pass"] == []
    names = [node.name for node in result.nodes]
    assert len(names) >= 60
    assert sum(name.startswith("netsuite_") for name in names) >= 10
