"""What `tieout doctor` finds out about one NetSuite account, by small calls that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import msgspec

from connectors.checks import Advice, try_call
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    TransportFailed,
)
from connectors.http import Answer, Call
from connectors.netsuite.accounts import SERVICES, VENDOR
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.query import Query
from connectors.records import CheckResult

if TYPE_CHECKING:
    from connectors.netsuite.client import NetSuiteConnector

LIMITS_PATH = f"{SERVICES}/system/v1/governanceLimits"
JOURNALS_PATH = f"{SERVICES}/record/v1/journalEntry"
OTHERWISE = "try again later; the vendor has a problem"
NEEDS: dict[str, tuple[str, str | None]] = {
    "subsidiary": ("Subsidiaries", "OneWorld"),
    "currency": ("Currency", "Multiple Currencies"),
    "currencyrate": ("Currency", "Multiple Currencies"),
    "accountingperiod": ("Manage Accounting Periods", None),
    "account": ("Accounts", None),
    "location": ("Locations", "Locations"),
    "classification": ("Classes", "Classes"),
    "department": ("Departments", "Departments"),
    "item": ("Items", None),
    "inventoryitemlocations": ("Items", "Multi-Location Inventory"),
    "customer": ("Customers", None),
    "transaction": ("Find Transaction", None),
    "transactionline": ("Find Transaction", None),
    "transactionaccountingline": ("Find Transaction", None),
    "deletedrecord": ("Deleted Records", None),
}
"""By table: the permission that shows it, and the feature without which it is not there."""
WIDEST_ZONE = timedelta(hours=15)


class _Limits(msgspec.Struct):
    account: int | None = msgspec.field(name="accountConcurrencyLimit", default=None)
    integration: int | None = msgspec.field(name="integrationConcurrencyLimit", default=None)


def check_account(connector: NetSuiteConnector) -> list[CheckResult]:
    """Nothing more is tried at an account that does not let us in: the first finding says why."""
    return list(_findings(connector))


def _findings(connector: NetSuiteConnector) -> Iterator[CheckResult]:
    account, advice = connector.account, _advice(connector)

    def tried(name: str, call: Callable[[NetSuiteConnector], str]) -> CheckResult:
        return try_call(f"{account}: {name}", partial(call, connector), advice, OTHERWISE)

    first = tried("sign-in", _sign_in)
    yield first
    if not first.ok:
        return
    yield _limits(connector)
    yield _open_periods(connector)
    yield tried("books", _books)
    yield _company(connector)
    yield tried("taxes", _taxes)
    yield _approvals(connector)
    yield tried("journal entries", _journals)
    for query in QUERIES.values():
        if query.entity in connector.used:
            yield _feed(connector, query, advice)


def _advice(connector: NetSuiteConnector) -> Advice:
    account, host = connector.account, httpx.URL(connector.client.base_url).host
    return {
        AuthError: f"see Setup > Users/Roles > View Login Audit Trail of {connector.realm}, and renew the credentials",
        TransportFailed: f"check the network and base_url of {account} in erps.csv: no answer from {host}",
        NotFound: f"check account_id and base_url of {account} in erps.csv: {host} has no such service",
        BadPayload: f"check base_url of {account} in erps.csv: {host} answers, but not as NetSuite",
        PermissionDenied: "give the integration's role the permission for this record",
    }


def _sign_in(connector: NetSuiteConnector) -> str:
    rows = connector.select("SELECT TO_CHAR(CURRENT_DATE,'YYYY-MM-DD HH24:MI:SS') AS now_ts FROM DUAL", what="sign-in")
    shown = rows[0].get("now_ts", "unknown") if rows else "unknown"
    return f"account {connector.realm}, whose clock shows {shown}{_zone(shown, connector.client.clock())}"


def _zone(shown: str, now: datetime) -> str:
    """How far the account's clock is from UTC; nothing when the two speak of different days (a pinned clock)."""
    try:
        apart = datetime.fromisoformat(shown).replace(tzinfo=UTC) - now.astimezone(UTC)
    except ValueError:
        return ""
    if abs(apart) > WIDEST_ZONE:
        return ""
    minutes = round(apart.total_seconds() / 900) * 15
    sign = "-" if minutes < 0 else "+"
    return f" (UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02})"


def _limits(connector: NetSuiteConnector) -> CheckResult:
    name, used = f"{connector.account}: concurrent requests", connector.client.limiter.limit

    def parse(answer: Answer) -> _Limits:
        try:
            return msgspec.json.decode(answer.body, type=_Limits)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise BadPayload("the limits are no object", vendor=VENDOR, call="governanceLimits") from error

    try:
        limits = connector.client.read(Call("governanceLimits"), LIMITS_PATH, {}, parse)
    except (PermissionDenied, RequestRejected, NotFound):
        return CheckResult(name, True, f"{used} used; the account's limit is shown to administrators only")
    allowed = limits.integration or limits.account
    if allowed is not None and used > allowed:
        action = f"set TIEOUT_NETSUITE_REQUESTS to {allowed} or less"
        return CheckResult(name, False, f"{used} used, {allowed} allowed", action)
    return CheckResult(name, True, f"{used} used, {allowed if allowed is not None else 'unknown'} allowed")


def _open_periods(connector: NetSuiteConnector) -> CheckResult:
    name = f"{connector.account}: open periods"
    try:
        rows = connector.select(
            "SELECT p.periodname, p.arlocked, p.aplocked FROM accountingperiod p WHERE p.isyear = 'F'"
            " AND p.isquarter = 'F' AND p.isadjust = 'F' AND p.closed = 'F' AND p.alllocked = 'F'"
            " ORDER BY p.startdate, p.id",
            what="accountingperiod",
        )
    except (PermissionDenied, RequestRejected) as error:
        return CheckResult(name, False, str(error), f"give the role the permission {NEEDS['accountingperiod'][0]}")
    if not rows:
        return CheckResult(name, False, "none", "open a period in NetSuite: nothing can be posted")
    names = [row.get("periodname", "without a name") for row in rows]
    found = names[0] if len(names) == 1 else f"{len(names)}, {names[0]} to {names[-1]}"
    for column, ledger in (("arlocked", "receivables"), ("aplocked", "payables")):
        locked = [name for name, row in zip(names, rows, strict=True) if row.get(column) == "T"]
        found += f"; {ledger} locked in {', '.join(locked)}" if locked else ""
    return CheckResult(name, True, found)


def _books(connector: NetSuiteConnector) -> str:
    try:
        count = connector.select("SELECT COUNT(*) AS parts FROM subsidiary", what="subsidiary")[0]["parts"]
        edition = f"OneWorld, {count} subsidiaries"
    except PermissionDenied:
        edition = "one company, or no permission for subsidiaries"
    try:
        count = connector.select("SELECT COUNT(*) AS parts FROM accountingbook", what="accountingbook")[0]["parts"]
        books = f"{count} accounting books, the primary one has the id {connector.primary_book()}"
    except PermissionDenied:
        books = "one accounting book, or no permission for further ones: id 1 is read"
    return f"{edition}; {books}"


def _company(connector: NetSuiteConnector) -> CheckResult:
    """Whose books are read: the configured subsidiary, or the only company there is."""
    name, wanted = f"{connector.account}: company", connector.subsidiary_id
    where = f"subsidiary_id of {connector.account} in erps.csv"
    try:
        rows = connector.select("SELECT s.id, s.name, s.isinactive FROM subsidiary s ORDER BY s.id", what="subsidiary")
    except (PermissionDenied, RequestRejected) as error:
        if wanted is None:
            return CheckResult(name, True, "the only one of the account")
        return CheckResult(name, False, str(error), f"give the role the permission Subsidiaries, or empty {where}")
    found = next((row for row in rows if row["id"] == wanted), None)
    if wanted is None and len(rows) > 1:
        seen = ", ".join(f"{row['id']} {row.get('name', '')}".strip() for row in rows)
        return CheckResult(name, False, f"{len(rows)} subsidiaries, and none is chosen: {seen}", f"fill in {where}")
    if wanted is not None and found is None:
        action = f"correct {where}, or give the role that subsidiary"
        return CheckResult(name, False, f"the role sees no subsidiary {wanted}", action)
    shown = found or rows[0] if rows else {}
    if shown.get("isinactive") == "T":
        return CheckResult(name, False, f"subsidiary {shown['id']} is inactive", f"correct {where}")
    return CheckResult(name, True, f"subsidiary {shown.get('id', '')} {shown.get('name', '')}".strip())


def _taxes(connector: NetSuiteConnector) -> str:
    """SuiteTax keeps its rates in a table of its own, legacy tax at the codes."""
    try:
        rows = connector.select("SELECT COUNT(*) AS parts FROM customrecord_ste_taxrate", what="tax rates")
        rates = int(rows[0]["parts"])
    except (PermissionDenied, RequestRejected):
        rates = 0
    if rates:
        return f"SuiteTax, {rates} rates"
    return "legacy tax codes, or no permission for SuiteTax rates: an order's tax cannot be set through the API"


def _approvals(connector: NetSuiteConnector) -> CheckResult:
    name = f"{connector.account}: journals that wait for approval"
    try:
        rows = connector.select(
            "SELECT COUNT(*) AS parts FROM transaction t WHERE t.type = 'Journal' AND t.approvalstatus = 1"
            " AND t.voided = 'F'",
            what="approvals",
        )
    except (PermissionDenied, RequestRejected) as error:
        return CheckResult(name, False, str(error), "let the role see journals", is_warning=True)
    count = int(rows[0]["parts"])
    if not count:
        return CheckResult(name, True, "none")
    action = "approve or delete them in NetSuite"
    return CheckResult(name, False, f"{count}: until then they are not in the ledger", action, is_warning=True)


def _journals(connector: NetSuiteConnector) -> str:
    def parse(answer: Answer) -> str:
        return "may be seen through the record service; writing shows at the first delivery"

    return connector.client.read(Call("journalEntry list"), JOURNALS_PATH, {"limit": "1"}, parse)


def _feed(connector: NetSuiteConnector, query: Query, advice: Advice) -> CheckResult:
    """Whether every column may be read, told apart: no permission, an empty table, columns that the account lacks."""
    name = f"{connector.account}: {query.entity} ({query.table})"
    try:
        count, absent = connector.trial(query.entity)
    except PermissionDenied as error:
        permission, feature = NEEDS.get(query.table, ("for this record", None))
        action = f"give the integration's role the permission {permission}"
        if feature is not None:
            action += f"; where the feature {feature} is off, take {query.entity} out of feeds.csv"
        return CheckResult(name, False, str(error), action)
    except ConnectorError as error:
        action = next((text for kind, text in advice.items() if isinstance(error, kind)), OTHERWISE)
        return CheckResult(name, False, str(error), action)
    held = "may be read" + ("" if count or query.changed else ", and is empty")
    if not absent:
        return CheckResult(name, True, held)
    action = "they are left out: nothing to do, unless the role should see them"
    return CheckResult(name, False, f"{held}; not on this account: {', '.join(absent)}", action, is_warning=True)
