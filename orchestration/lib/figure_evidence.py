"""The vendors' records behind a figure: of an id that stands beside it, in the app and on the command line alike."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.lib.configuration import Marketplace
from orchestration.lib.evidence_index import EvidenceIndex, Place
from orchestration.lib.published import Published
from orchestration.lib.registry import read_rows
from orchestration.lib.settings import Settings


def places_of(settings: Settings, published: Published, ids: Iterable[str], marketplace: str = "") -> list[Place]:
    """Records of these ids, newest first; with a marketplace none of another marketplace's or ERP's accounts, because
    two ERPs count alike. Raises FileNotFoundError before a run has made the index.
    """
    index = EvidenceIndex(settings.evidence_index_path)
    try:
        found = index.places(_known_to_vendors(published, list(ids)))
    finally:
        index.close()
    erps = {row.marketplace_code: row.erp_code for row in read_rows(settings.config_dir, Marketplace)}
    if marketplace not in erps:
        return found
    others = {*erps, *erps.values()} - {marketplace, erps[marketplace]}
    return [one for one in found if one.account not in others]


def _known_to_vendors(published: Published, ids: list[str]) -> list[str]:
    """A journal's own key is known to no vendor: its key on the wire and the ERP's documents are."""
    found = list(ids)
    for row in published.select("journals", {"journal_key": ids}):
        found += [str(row.get("wire_key") or ""), *str(row.get("erp_document_id") or "").split(",")]
    return [one.strip() for one in found if one.strip()]
