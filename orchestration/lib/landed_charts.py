"""The chart of accounts of an ERP as it was last landed: nobody has to be asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from connectors.charts import ChartAccount, chart_of
from connectors.errors import ConnectorError
from connectors.feeds import all_feeds
from connectors.records import FeedSpec, Page, Window
from orchestration.lib.configuration import Erp
from orchestration.lib.evidence_index import EvidenceIndex
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.registry import read_rows
from orchestration.lib.settings import Settings


class LandedFeeds:
    """Reads the feeds of one account from the evidence, as a connector would from the vendor."""

    def __init__(self, settings: Settings, vendor: str, account: str) -> None:
        self._settings = settings
        self._vendor = vendor
        self._account = account

    @property
    def feeds(self) -> Mapping[str, FeedSpec]:
        return all_feeds(self._vendor)

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """All pages that were landed, oldest first: what did not change is landed once."""
        index = EvidenceIndex(self._settings.evidence_index_path)
        try:
            paths = index.files_of(self._vendor, self._account, entity)
        finally:
            index.close()
        store = LandingFiles(self._settings.landing)
        for number, path in enumerate(paths, start=1):
            yield Page(
                entity=entity, number=number, body=store.read(path), url=path, status=200,
                fetched_at=datetime.now(UTC), record_count=0, record_hashes=(), declared_count=None, cursor=None,
            )  # fmt: skip


def landed_charts(settings: Settings) -> Callable[[str], Sequence[ChartAccount]]:
    """Gives the chart of an ERP by its code, read once. It is empty where none was landed, where it cannot be read, and
    for an ERP whose chart is not known here.
    """
    vendors = {row.erp_code: row.vendor for row in read_rows(settings.config_dir, Erp)}

    @cache
    def chart(erp: str) -> Sequence[ChartAccount]:
        try:
            accounts, _ = chart_of(vendors[erp], LandedFeeds(settings, vendors[erp], erp))
        except (ConnectorError, FileNotFoundError, KeyError):
            return ()
        newest = {(one.code, one.cost_centre, one.department): one for one in accounts}
        return list(newest.values())

    return chart
