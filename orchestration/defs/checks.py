"""Freshness per account: an asset's policy hides one silent marketplace behind twenty live ones."""

from datetime import timedelta

import dagster as dg
from dagster import AssetCheckExecutionContext

from orchestration.lib.freshness import stale_feeds
from orchestration.lib.lanes import feed_key
from orchestration.lib.workspace import Workspace


def freshness_checks(workspace: Workspace) -> list[dg.AssetChecksDefinition]:
    """One check per account, on the first feed of its vendor, over all feeds of the account."""
    return [
        _check(vendor, account, feeds[0])
        for vendor in workspace.registry.vendors
        for account in workspace.registry.accounts_of(vendor)
        if (
            feeds := [
                f.entity
                for f in workspace.registry.account_feeds(vendor, account)
                if f.entity in workspace.feeds[vendor]
            ]
        )
    ]


def _check(vendor: str, account: str, entity: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=feed_key(vendor, entity),
        name=f"{account.lower()}_is_fresh",
        description=f"Every feed of {vendor} {account} was read whole within the hours that feeds.csv allows.",
        required_resource_keys={"workspace"},
    )
    def is_fresh(context: AssetCheckExecutionContext) -> dg.AssetCheckResult:
        workspace: Workspace = context.resources.workspace
        stale = stale_feeds(workspace.settings, workspace.registry, vendor, account)
        return dg.AssetCheckResult(
            passed=not stale,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(str(feed) for feed in stale) or None,
            metadata={str(feed.feed): _age(feed.age) for feed in stale},
        )

    return is_fresh


def _age(age: timedelta | None) -> str:
    return "never" if age is None else f"{age.total_seconds() / 3600:.1f} h"
