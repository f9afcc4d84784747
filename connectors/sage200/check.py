"""What `tieout doctor` finds out about one Sage 200 company, by small calls that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from connectors.checks import Advice, try_call
from connectors.decoding import Envelope, raw_records, split_records
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    ServerFailed,
    TransportFailed,
    WrongAccount,
)
from connectors.http import Answer, Call
from connectors.records import CheckResult
from connectors.sage200.decode import VENDOR
from connectors.sage200.endpoints import CIVIL, RESOURCES, Resource
from connectors.sage200.settings import consequences
from connectors.sage200.sign_in import consent_ends, consent_warning

if TYPE_CHECKING:
    from connectors.sage200.client import Sage200Connector

LICENCE = Call("licence", CIVIL)
DATE_VALIDATION = Call("transaction_date_validation", CIVIL)
NEEDED_MODULES = ("sales", "nominal", "cash_book", "stock", "sales_orders")
PROFESSIONAL_MODULES = ("project_accounting", "manufacturing", "business_intelligence", "scripting")


def check_company(connector: Sage200Connector) -> list[CheckResult]:
    """Nothing is tried at a company that cannot be reached: the first finding says why."""
    return list(_findings(connector))


def _findings(connector: Sage200Connector) -> Iterator[CheckResult]:
    account = connector.account
    advice = _advice(connector)
    first = _try(connector, "token, site and company", lambda: _company(connector))
    yield first
    if not first.ok:
        return
    yield _consent(connector)
    yield _edition(connector)
    yield from _settings(connector)
    yield _posting_date(connector)
    further, refused = 0, []
    for resource in RESOURCES.values():
        name = f"{account}: {resource.entity} ({resource.path})"
        result = try_call(name, lambda resource=resource: _trial(connector, resource), advice, OTHERWISE)  # type: ignore[misc]
        if resource.is_essential:
            yield result
        elif result.ok:
            further += 1
        else:
            refused.append(CheckResult(name, False, result.detail, result.action, is_warning=True))
    yield CheckResult(f"{account}: further resources", True, f"{further} may be read")
    yield from refused


OTHERWISE = "try again later; the vendor has a problem"


def _advice(connector: Sage200Connector) -> Advice:
    account, host = connector.account, httpx.URL(connector.client.base_url).host
    return {
        AuthError: f"sign in again: `tieout auth sage200 --erp {account}`; check the client id and secret "
        f"(SAGE200_{account}_CLIENT_ID, SAGE200_{account}_CLIENT_SECRET)",
        TransportFailed: f"check base_url and token_url of {account} in erps.csv and the network: no answer",
        ServerFailed: f"{host} cannot reach the site: is the Sage 200 server running and its gateway connected?",
        NotFound: f"check base_url of {account} in erps.csv: {host} has no such resource, or its site is old",
        BadPayload: f"check base_url of {account} in erps.csv: {host} answers, but not as Sage 200",
        PermissionDenied: "give the API user's Sage 200 role the feature behind this resource",
        WrongAccount: f"check site_id and company_id of {account} in erps.csv",
        RequestRejected: f"check site_id and company_id of {account} in erps.csv",
    }


def _try(connector: Sage200Connector, name: str, call: Callable[[], str]) -> CheckResult:
    return try_call(f"{connector.account}: {name}", call, _advice(connector), OTHERWISE)


def _company(connector: Sage200Connector) -> str:
    company = connector.company()
    return f"company {company.company_id} {company.company_name or ''}"


def _consent(connector: Sage200Connector) -> CheckResult:
    name = f"{connector.account}: consent"
    credentials = connector.credentials()
    if warning := consent_warning(credentials, connector.sign_in_time()):
        action = f"sign in again: `tieout auth sage200 --erp {connector.account}`"
        return CheckResult(name, False, warning, action, is_warning=True)
    end = consent_ends(credentials)
    is_known = credentials.consent_days is not None
    found = f"ends on {end.date()}" if end and is_known else f"ends on {end.date()} at the latest" if end else "unknown"
    return CheckResult(name, True, found)


def _edition(connector: Sage200Connector) -> CheckResult:
    """The address says which edition it is; the licence says which modules the company has."""
    name = f"{connector.account}: edition and modules"
    try:
        licence = _object(connector, LICENCE)
    except ConnectorError as error:
        action = "the modules are unknown; the resources below show what may be read"
        return CheckResult(name, False, str(error), action, is_warning=True)
    has_more = any(f"is_{module}_enabled" in licence for module in PROFESSIONAL_MODULES)
    edition = connector.edition or ("Professional by its licence" if has_more else "unknown edition")
    missing = [module for module in NEEDED_MODULES if licence.get(f"is_{module}_enabled") is False]
    if missing:
        action = "what these modules hold cannot be compared; take their feeds out of feeds.csv"
        return CheckResult(name, False, f"{edition}; switched off: {', '.join(missing)}", action, is_warning=True)
    return CheckResult(name, True, f"{edition}, with {', '.join(NEEDED_MODULES)}")


def _settings(connector: Sage200Connector) -> Iterator[CheckResult]:
    name = f"{connector.account}: settings"
    try:
        settings = connector.settings()
    except ConnectorError as error:
        yield CheckResult(name, False, str(error), OTHERWISE)
        return
    for resource, reason in settings.unread.items():
        action = "give the API user's role this feature: settings change what the data mean"
        yield CheckResult(f"{name} ({resource})", False, reason, action, is_warning=True)
    found = consequences(settings)
    for one in found:
        yield CheckResult(name, False, f"{one.setting}: {one.meaning}", one.action, is_warning=True)
    if not found and not settings.unread:
        yield CheckResult(name, True, "none that changes what the data mean")


def _posting_date(connector: Sage200Connector) -> CheckResult:
    """Whether a document dated today may be posted."""
    name = f"{connector.account}: open periods"
    today = connector.client.clock().date().isoformat()
    body = {"date": f"{today}T00:00:00Z", "ledger_type": "LedgerSales"}
    try:
        answer = _object(connector, DATE_VALIDATION, msgspec.json.encode(body))
        number = connector.settings().system.number_open_periods
    except ConnectorError as error:
        action = "whether today's date may be posted is unknown until the first posting"
        return CheckResult(name, False, str(error), action, is_warning=True)
    verdict = str(answer.get("classification") or "unknown")
    words = f"{today} is {verdict}" + (f", {number} periods are open" if number is not None else "")
    if verdict in ("Normal", "Acceptable"):
        return CheckResult(name, True, words)
    detail = f"{words}: {answer['message']}" if answer.get("message") else words
    return CheckResult(name, False, detail, "open the period in Sage 200, or postings will fail", is_warning=True)


def _object(connector: Sage200Connector, call: Call, content: bytes | None = None) -> dict[str, Any]:
    def parse(answer: Answer) -> dict[str, Any]:
        try:
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError) as error:
            raise BadPayload("the answer is no object", vendor=VENDOR, call=call.name) from error

    return connector.client.read(call, f"/{call.name}", {}, parse, content=content)


def _trial(connector: Sage200Connector, resource: Resource) -> str:
    def parse(answer: Answer) -> int:
        whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=resource.call.name)
        return len(raw_records(whole, vendor=VENDOR, call=resource.call.name))

    connector.client.read(resource.call, resource.path, {"$top": "1"}, parse)
    return "may be read"
