"""Every feed of every vendor, without a client: loading from landed files needs no network and no key."""

from __future__ import annotations

from connectors.bank.decode import FEEDS as BANK
from connectors.erps import registered_erps
from connectors.mirakl.decode import FEEDS as MIRAKL
from connectors.netsuite.decode import FEEDS as NETSUITE
from connectors.records import FeedSpec
from connectors.sage200.decode import FEEDS as SAGE200

REGISTRY: dict[str, dict[str, FeedSpec]] = {
    "mirakl": MIRAKL,
    "sage200": SAGE200,
    "netsuite": NETSUITE,
    "bank": BANK,
    **{name: dict(erp.feeds) for name, erp in registered_erps().items()},
}


def all_feeds(vendor: str) -> dict[str, FeedSpec]:
    """The vendor's feeds by entity, in the order in which they are best read. Unknown vendor: KeyError that names the
    known ones.
    """
    try:
        return REGISTRY[vendor]
    except KeyError:
        raise KeyError(f"no vendor {vendor!r}; there are {', '.join(REGISTRY)}") from None


def feed_spec(vendor: str, entity: str) -> FeedSpec:
    feeds = all_feeds(vendor)
    try:
        return feeds[entity]
    except KeyError:
        raise KeyError(f"vendor {vendor} has no feed {entity!r}; there are {', '.join(feeds)}") from None
