"""Which kinds of write an account's key has to be allowed: those that configuration lets through today."""

from __future__ import annotations

from connectors.rights import kinds_of
from orchestration.lib.registry import Registry
from orchestration.lib.settings import Settings
from orchestration.outbox.policies import ANY, Subject, stopped_by


def kinds_switched_on(registry: Registry, settings: Settings, vendor: str, account: str) -> frozenset[str]:
    """Kinds that a row of switches.csv switches on and no other row stops, for one marketplace at least. None while
    write-back is off: a key for reading is enough then.
    """
    if vendor == "mirakl":
        marketplaces = [account] if registry.marketplace(account).perspective == "SELLER" else []
    else:
        marketplaces = [row.marketplace_code for row in registry.marketplaces]
    return frozenset(
        kind
        for kind in kinds_of(vendor)
        for marketplace in marketplaces
        if settings.write_back and _is_on(registry, vendor, marketplace, kind)
    )


def _is_on(registry: Registry, vendor: str, marketplace: str, kind: str) -> bool:
    if stopped_by(Subject(kind, vendor, marketplace, None, None), registry.switches, write_back=True):
        return False
    return any(
        row.is_on
        and row.vendor in (ANY, vendor)
        and row.marketplace_code in (ANY, marketplace)
        and row.kind in (ANY, kind)
        for row in registry.switches
    )
