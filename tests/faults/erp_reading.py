"""The fault table of the ERPs, reading: two feeds are read while a fault lasts, and once more when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
import httpx

from connectors.auth import MemoryCredentialStore
from connectors.errors import ConnectorError
from connectors.feeds import feed_spec
from connectors.netsuite import Certificate, NetSuiteConnector
from connectors.sage200 import Sage200Connector
from orchestration.lib import loading
from orchestration.lib.landing import Landing
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from sandbox.netsuite import NetSuiteApi
from sandbox.world import DEFAULT_AS_OF
from tests.connectors_netsuite.account import BY_CERTIFICATE, KEY, connector
from tests.connectors_sage200.conftest import Site
from tests.faults.cases import Row

Vendor = Literal["sage200", "netsuite"]
FEEDS: Mapping[Vendor, tuple[str, str]] = {"sage200": ("customers", "banks"), "netsuite": ("items", "customers")}
_SUPPORT = re.compile(r" \[x-n-operationid=.*\]")
"""Numbers for a support case, which differ from call to call."""
TABLES = {"items": "item", "customers": "customer"}


@dataclass
class Erps:
    """Both sandboxes. `certificate` and `store` are what the next connector signs in with."""

    site: Site
    api: NetSuiteApi
    netsuite_url: str
    certificate: Certificate = BY_CERTIFICATE
    store: MemoryCredentialStore | None = None
    company_id: str = ""
    nap: Callable[[float], object] = lambda _: None

    def behave(self, **values: Any) -> None:
        httpx.post(f"{self.site.url}/_sandbox/sage200/site", json=values).raise_for_status()

    def source(self, vendor: Vendor) -> Sage200Connector | NetSuiteConnector:
        """A connector that has never read anything."""
        if vendor == "netsuite":
            return connector(self.netsuite_url, self.certificate, sleep=self.nap)
        store = self.site.store
        self.store = self.store or MemoryCredentialStore(store.sage_id.consent())
        return Sage200Connector(
            "SAGE_UK",
            f"{self.site.url}/sage200/accounts/v1",
            f"{self.site.url}/oauth/token",
            str(store.company.site["site_id"]),
            self.company_id or store.company.site["company_id"],
            self.store,
            store.sage_client.client_id,
            store.sage_client.client_secret,
            sleep=lambda _: None,
            clock=lambda: DEFAULT_AS_OF,
            is_paced=False,
        )

    def truth(self, vendor: Vendor) -> dict[str, set[str]]:
        """The ids of all records, as the books have them."""
        if vendor == "sage200":
            return {feed: {str(row["id"]) for row in self.site.store.company[feed].rows} for feed in FEEDS[vendor]}
        return {feed: {str(row["id"]) for row in self.api.database.rows(TABLES[feed])} for feed in FEEDS[vendor]}


def read(settings: Settings, erps: Erps, vendor: Vendor) -> dict[str, str]:
    """Land and load both feeds; the errors of those that did not end well."""
    errors = {}
    source = erps.source(vendor)
    with State(settings.state_path) as state:
        landing = Landing(settings, state, "run")
        for entity in FEEDS[vendor]:
            try:
                landing.land(feed_spec(vendor, entity), "ERP", source, overlap=timedelta(days=1))
            except ConnectorError as error:
                errors[entity] = _SUPPORT.sub("", str(error))
    source.close()
    loading.load(settings)
    return errors


def held(settings: Settings, vendor: Vendor) -> dict[str, set[str]]:
    """The ids in raw."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return {
            entity: {row[0] for row in connection.execute(f"select id from raw.{vendor}_{entity}").fetchall()}
            for entity in FEEDS[vendor]
        }


def installation(folder: Path) -> Settings:
    return Settings.model_validate({"data_dir": folder, "as_of": f"{DEFAULT_AS_OF:%Y-%m-%dT%H:%M:%SZ}"})


# --- the faults

Fault = Callable[[Erps], Iterator[None]]


@dataclass(frozen=True, kw_only=True)
class Reading(Row):
    """`fault` lasts as long as its generator waits. `failed` are the feeds that the first run does not read."""

    name: str
    vendor: Vendor
    fault: Fault
    failed: frozenset[str] = frozenset()

    @contextmanager
    def lasting(self, erps: Erps) -> Iterator[None]:
        yield from self.fault(erps)


def _behaving(**values: Any) -> Fault:
    def fault(erps: Erps) -> Iterator[None]:
        before = {name: getattr(erps.site.store.sage_settings, name) for name in values}
        erps.behave(**values)
        yield
        erps.behave(**before)

    return fault


def _disturbed(path: str, **rule: Any) -> Fault:
    def fault(erps: Erps) -> Iterator[None]:
        erps.site.disturb(path, **rule)
        yield
        httpx.delete(f"{erps.site.url}/_sandbox/chaos")

    return fault


def _switched(**values: Any) -> Fault:
    def fault(erps: Erps) -> Iterator[None]:
        settings = erps.api.settings
        before = {name: getattr(settings, name) for name in values}
        vars(settings).update(values)
        yield
        vars(settings).update(before)

    return fault


def _spent(erps: Erps) -> Iterator[None]:
    """Somebody else refreshes with our token; then a person consents anew."""
    store = erps.site.store
    token = store.sage_id.consent()
    client = store.sage_client
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    httpx.post(f"{erps.site.url}/oauth/token", data=form).raise_for_status()
    erps.store = MemoryCredentialStore(token)
    yield
    erps.store = None


def _revoked(erps: Erps) -> Iterator[None]:
    """The access token that is kept is no good any more."""
    erps.source("sage200").check()
    erps.site.store.sage_id.expire_access_tokens()
    yield


def _wrong_company(erps: Erps) -> Iterator[None]:
    erps.company_id = "999"
    yield
    erps.company_id = ""


def _wrong_certificate(erps: Erps) -> Iterator[None]:
    erps.certificate = Certificate("client", "removed-by-a-sandbox-refresh", KEY)
    yield
    erps.certificate = BY_CERTIFICATE


def _throttled(erps: Erps) -> Iterator[None]:
    """Another integration of the account has all places, until we have waited once."""
    settings, places = erps.api.settings, erps.api.settings.concurrency_limit
    settings.concurrency_limit, settings.limit_code = 0, "SSS_REQUEST_LIMIT_EXCEEDED"
    erps.nap = lambda _: setattr(settings, "concurrency_limit", places)
    yield
    erps.nap = lambda _: None
    settings.concurrency_limit, settings.limit_code = places, "CONCURRENCY_LIMIT_EXCEEDED"


SAGE_BOTH = frozenset(FEEDS["sage200"])
NETSUITE_BOTH = frozenset(FEEDS["netsuite"])

READING: tuple[Reading, ...] = (
    Reading(
        name="sage200-tunnel-down",
        vendor="sage200",
        bad_input="Sage 200: the site's tunnel is down (504 with a page)",
        what_happens="tried again, then the feeds of the site stop; their cursors stay",
        fault=_behaving(tunnel_up=False),
        ends="partial",
        reported=(
            (
                "sage200 customers: Sage's gateway does not reach the site: its server or tunnel is down, or the"
                " query is too slow (HTTP 504): 504 Gateway Timeout"
            ),
            (
                "sage200 banks: Sage's gateway does not reach the site: its server or tunnel is down, or the "
                "query is too slow (HTTP 504): 504 Gateway Timeout"
            ),
        ),
        failed=SAGE_BOTH,
    ),
    Reading(
        name="sage200-no-site",
        vendor="sage200",
        bad_input="Sage 200: 401 with an empty body, and `GET /sites` is empty",
        what_happens="told from a bad token: the gateway has lost the site",
        fault=_behaving(sites="none"),
        ends="partial",
        reported=("sage200 sites: no site is registered: the site's tunnel is down",),
        failed=SAGE_BOTH,
    ),
    Reading(
        name="sage200-wrong-company",
        vendor="sage200",
        bad_input="Sage 200: a company that the user does not have (401 with an empty body)",
        what_happens="the list of sites tells which companies there are",
        fault=_wrong_company,
        ends="partial",
        reported=("sage200 sites: the site has no company 999, only 7 (UK Trade Supplies Ltd)",),
        failed=SAGE_BOTH,
    ),
    Reading(
        name="sage200-spent-token",
        vendor="sage200",
        bad_input="Sage 200: a refresh token that somebody else has spent",
        what_happens="asked once; a person has to consent again",
        fault=_spent,
        ends="partial",
        reported=(
            (
                "sage200 token: the refresh token was not accepted: it was spent by somebody else (a second data"
                " folder, a copy brought back from a backup), or the consent was withdrawn: sign in again with "
                "`tieout auth sage200 --erp SAGE_UK` (HTTP 400): Unknown or invalid refresh token."
            ),
        ),
        failed=SAGE_BOTH,
    ),
    Reading(
        name="sage200-revoked-token",
        vendor="sage200",
        bad_input="Sage 200: an access token that ends before its time",
        what_happens="renewed once, under the account's lock",
        fault=_revoked,
    ),
    Reading(
        name="sage200-no-role",
        vendor="sage200",
        bad_input="Sage 200: a role without the module (403)",
        what_happens="asked once; the other feeds go on",
        fault=_behaving(forbids="banks"),
        ends="partial",
        reported=("sage200 banks: the key's user may not make this call (HTTP 403)",),
        failed=frozenset({"banks"}),
    ),
    Reading(
        name="sage200-old-site",
        vendor="sage200",
        bad_input="Sage 200: a site that is too old for a resource (404), or does not count",
        what_happens="that feed stops, the others go on; without `$count` a page that is not full is the last",
        fault=_behaving(hides="banks", counts=False),
        ends="partial",
        reported=("sage200 banks: no such path or record (HTTP 404)",),
        failed=frozenset({"banks"}),
    ),
    Reading(
        name="sage200-short-pages",
        vendor="sage200",
        bad_input='Sage 200: a gateway that gives fewer rows than asked for, in `{"value": []}`',
        what_happens="read on until the site's own count is reached",
        fault=_behaving(maximum_rows=3, list_form="value"),
    ),
    Reading(
        name="sage200-truncated",
        vendor="sage200",
        bad_input="Sage 200: half a page, as if it were all",
        what_happens="tried again; nothing of half a page is landed",
        fault=_disturbed("customers", kind="truncate", times=2),
    ),
    Reading(
        name="netsuite-no-permission",
        vendor="netsuite",
        bad_input="NetSuite: a role without permission for a table (`Record was not found`)",
        what_happens="not taken for an empty table: that feed stops, the others go on",
        fault=_switched(denied_tables={"item"}),
        ends="partial",
        reported=(
            (
                "netsuite suiteql items: table item cannot be read: the role lacks its permission, or the "
                "account its feature; this is not an empty table (HTTP 400): INVALID_PARAMETER: Invalid search "
                "query. Detailed unprocessed description follows. Search error occurred: Record 'item' was not "
                "found."
            ),
        ),
        failed=frozenset({"items"}),
    ),
    Reading(
        name="netsuite-absent-columns",
        vendor="netsuite",
        bad_input="NetSuite: columns that the account lacks, answered in either way",
        what_happens="left out, and named by doctor and in the log; the feed is read without them",
        fault=_switched(hidden_columns={("item", "upccode"): "", ("item", "averagecost"): "NOT_EXPOSED"}),
    ),
    Reading(
        name="netsuite-request-limit",
        vendor="netsuite",
        bad_input="NetSuite: `SSS_REQUEST_LIMIT_EXCEEDED` (429 with the title of a 400)",
        what_happens="waits for a place, and goes on",
        fault=_throttled,
    ),
    Reading(
        name="netsuite-wrong-certificate",
        vendor="netsuite",
        bad_input="NetSuite: a certificate that a refresh of the sandbox has removed (400 `invalid_grant`)",
        what_happens="asked once; the certificate is named",
        fault=_wrong_certificate,
        ends="partial",
        reported=(
            (
                "netsuite token: certificate removed-by-a-sandbox-refresh was not accepted: it may have ended, a"
                " refresh of the test account may have removed it, or this machine's clock is wrong (HTTP 400): "
                "invalid_grant"
            ),
        ),
        failed=NETSUITE_BOTH,
    ),
)
