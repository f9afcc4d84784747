"""Reads one NetSuite account through SuiteQL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.decoding import format_stamp, parse_stamp, raw_records, record_hash, split_records
from connectors.errors import (
    BadPayload,
    PermissionDenied,
    RequestRejected,
    ServerFailed,
)
from connectors.extraction import Reading, Scanned
from connectors.http import Answer, Call, safe_base_url, utc_now
from connectors.netsuite.accounts import SERVICES, VENDOR, base_url_of, realm_of
from connectors.netsuite.auth import Certificate, CertificateToken, Tokens, TokenSignature
from connectors.netsuite.check import check_account
from connectors.netsuite.decode import DECODERS, FEEDS, ITEMS, lowered
from connectors.netsuite.fields import Field
from connectors.netsuite.http import AccountClient
from connectors.netsuite.limiter import AccountLimiter
from connectors.netsuite.queries import QUERIES
from connectors.netsuite.query import Query
from connectors.netsuite.statements import (
    Position,
    Slice,
    function_to_drop,
    is_beyond,
    position_of,
    selected,
    statement,
    to_drop,
    unknown_column,
    unknown_table,
)
from connectors.pagination import Guard, member_int
from connectors.records import CheckResult, FeedSpec, Page, Window

logger = logging.getLogger(__name__)

SUITEQL_PATH = f"{SERVICES}/query/v1/suiteql"
PAGE_SIZE = 1000
"""The largest that NetSuite gives. A smaller one would also lower the ceiling of rows."""
ROW_CEILING = 100_000
"""NetSuite counts no further: a total of this size or more says nothing."""
TIMEOUT_SECONDS = 900.0
"""After 15 minutes NetSuite ends a call itself."""
_ROWS: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, Any]])


T = TypeVar("T")


class NetSuiteConnector:
    """One account, `1234567` or `1234567_SB1`. `credentials` say which of the two ways of signing in is used.

    Windows start at `since`, inclusively, in UTC. `limiter` is the account's share of concurrent requests: give every
    connector of one account the same. NetSuite compares assertions with the true time: `sign_in_clock` stays real when
    `clock`, by which windows are read, is not.

    `subsidiary_id` is the company whose books these are, `used` the feeds that are read; only `check` looks at them.
    `missing_columns` tells, per feed, which columns the account turned out not to have (a feature is off): they are
    left out, and null in the tables.
    """

    vendor = VENDOR

    def __init__(
        self,
        account: str,
        account_id: str,
        credentials: Certificate | Tokens,
        *,
        base_url: str | None = None,
        subsidiary_id: str | None = None,
        used: Collection[str] | None = None,
        limiter: AccountLimiter | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = utc_now,
        sign_in_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.account = account
        self.realm = realm_of(account_id)
        self.subsidiary_id = subsidiary_id
        self.used = frozenset(FEEDS if used is None else used)
        self.missing_columns: dict[str, tuple[str, ...]] = {}
        self._missing: dict[str, frozenset[str]] = {}
        self._primary_book: int | None = None
        self._lock = threading.Lock()
        base_url = safe_base_url(base_url or base_url_of(account_id), vendor=VENDOR, what=f"base_url of {account}")
        options: dict[str, Any] = {
            "timeout_seconds": timeout_seconds,
            "transport": transport,
            "sleep": sleep,
            "clock": clock,
        }
        self._auth: CertificateToken | TokenSignature
        if isinstance(credentials, Certificate):
            self._auth = CertificateToken(base_url, credentials, **{**options, "clock": sign_in_clock})
            secrets: Sequence[str] = ()
        else:
            self._auth = TokenSignature(self.realm, credentials)
            secrets = (credentials.consumer_secret, credentials.token_secret)
        self.client = AccountClient(
            VENDOR, base_url, limiter or AccountLimiter(), auth=self._auth, secrets=secrets, **options
        )

    def close(self) -> None:
        self.client.close()
        if isinstance(self._auth, CertificateToken):
            self._auth.close()

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        return FEEDS

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """The feed's pages, lazily. Unknown entity: KeyError.

        Raises PermissionDenied for a table that the role may not read or whose feature is off, which is no empty
        table; another ConnectorError when reading cannot go on. The cursor never passes the moment at which the
        reading began: a row that changes behind the reading's back is read by the next one.
        """
        query, spec, decoder = QUERIES[entity], FEEDS[entity], DECODERS[entity]
        reading = Reading(self.client, Call(f"suiteql {entity}"), spec, decoder)
        guard = Guard(VENDOR, reading.call.name)
        started = self.client.clock()
        after: Position | None = None
        number = read = 0
        while True:
            number += 1
            scanned = self._read(reading, query, Slice(window.since, after), is_first_page=number == 1)
            count = len(scanned.raws)
            hashes = tuple(map(record_hash, scanned.raws))
            total = _total(scanned)
            is_counted = total is not None and total < ROW_CEILING
            yield Page(
                entity=entity,
                number=number,
                body=scanned.answer.body,
                url=scanned.answer.url,
                status=scanned.answer.status,
                fetched_at=scanned.answer.fetched_at,
                record_count=count,
                record_hashes=hashes,
                declared_count=read + total if is_counted and total is not None else None,
                cursor=self._cursor(reading, scanned, started),
            )
            read += count
            has_more = bytes(scanned.members.get("hasMore", b"")) == b"true"
            if not (has_more or (total > count if total is not None else count >= PAGE_SIZE)):
                return
            if not count:
                raise guard.bad("the answer promises more rows and holds none")
            guard.check(hashes)
            here = self._position(query, scanned, guard)
            if not is_beyond(query, here, after):
                raise guard.bad(f"no row beyond the last page's ({', '.join(here)}): paging does not advance")
            after = here

    @staticmethod
    def _position(query: Query, scanned: Scanned, guard: Guard) -> Position:
        row = _ROWS.decode(b"[" + lowered(bytes(scanned.raws[-1])) + b"]")[0]
        try:
            return position_of(query, {name: str(value) for name, value in row.items()})
        except (KeyError, ValueError) as error:
            raise guard.bad(f"the last row has no usable key ({type(error).__name__}: {error})") from error

    @staticmethod
    def _cursor(reading: Reading, scanned: Scanned, started: datetime) -> str | None:
        version = reading.spec.version_column
        if version is None:
            return None
        whole = type(scanned.whole)(lowered(bytes(scanned.whole)))
        values = reading.decoder.member_values([version], scanned.raws, whole)[version]
        stamps = [s for s in map(parse_stamp, set(values)) if s is not None and s <= started]
        return format_stamp(max(stamps)) if stamps else None

    # --- one statement ---

    def _read(self, reading: Reading, query: Query, part: Slice, *, is_first_page: bool) -> Scanned:
        """The next rows. A column that the account lacks is left out from then on, once it has been found out."""
        while True:
            missing = self._missing.get(query.entity, frozenset())
            try:
                return self._ask(reading, self._statement(query, part), is_first_page=is_first_page)
            except RequestRejected as error:
                detail = error.detail or ""
                named = unknown_column(detail)
                dropped = to_drop(query, missing, named) if named else function_to_drop(query, missing, detail)
                if dropped is None:
                    raise
            except ServerFailed as error:
                # Some absent columns are answered by UNEXPECTED_ERROR, without a name.
                found = self._culprit(reading, query) if is_first_page and _is_unexpected(error) else None
                if found is None:
                    raise
                dropped = found.of
            self._drop(query, dropped)

    def _statement(self, query: Query, part: Slice) -> str:
        book = self.primary_book() if any("{" in c.sql for c in query.conditions) else 1
        missing = self._missing.get(query.entity, frozenset())
        return statement(query, part, missing=missing, primary_book=book)

    def _drop(self, query: Query, of: str) -> None:
        with self._lock:
            missing = self._missing.get(query.entity, frozenset()) | {of}
            self._missing[query.entity] = missing
            self.missing_columns[query.entity] = tuple(sorted(missing))
        logger.warning("%s %s: the account has no %s; it is left out", VENDOR, query.entity, of)

    def _culprit(self, reading: Reading, query: Query) -> Field | None:
        """The column without which the statement works, found by halves; None when it fails even without any."""
        keys = {key.name for key in query.keys}
        missing = self._missing.get(query.entity, frozenset())
        suspects = [field for field in selected(query, missing) if field.column.name not in keys]

        if not suspects or not self._works(reading, query, missing, ()):
            return None
        while len(suspects) > 1:
            half, rest = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
            suspects = rest if self._works(reading, query, missing, half) else half
        return None if self._works(reading, query, missing, suspects) else suspects[0]

    def _works(self, reading: Reading, query: Query, missing: frozenset[str], fields: Sequence[Field]) -> bool:
        """Whether the statement is answered with its keys and these columns alone."""
        keys = {key.name for key in query.keys}
        others = {f.of for f in query.fields if f.column.name not in keys and f not in fields}
        sql = statement(query, Slice(), missing=missing | others) + " FETCH FIRST 1 ROWS ONLY"
        try:
            self._ask(reading, sql, is_first_page=True)
        except (ServerFailed, RequestRejected):
            return False
        return True

    def _ask(self, reading: Reading, sql: str, *, is_first_page: bool) -> Scanned:
        return self._suiteql(reading.call, sql, (), 0, reading.scan, is_first_page=is_first_page)

    def _suiteql(
        self,
        call: Call,
        sql: str,
        params: Sequence[str],
        offset: int,
        parse: Callable[[Answer], T],
        *,
        is_first_page: bool = True,
    ) -> T:
        body: dict[str, Any] = {"q": sql, **({"params": list(params)} if params else {})}
        try:
            return self.client.read(
                call,
                SUITEQL_PATH,
                {"limit": str(PAGE_SIZE), "offset": str(offset)},
                parse,
                content=msgspec.json.encode(body),
                headers={"Prefer": "transient"},
                is_first_page=is_first_page,
            )
        except RequestRejected as error:
            if unknown_column(error.detail or "") is None and (name := unknown_table(error.detail or "")):
                raise PermissionDenied(
                    f"table {name} cannot be read: the role lacks its permission, or the account its feature; "
                    "this is not an empty table",
                    vendor=VENDOR,
                    call=call.name,
                    status=error.status,
                    detail=error.detail,
                ) from error
            raise

    def primary_book(self) -> int:
        """The id of the primary accounting book; 1 on an account without further books, which has no table of them."""
        if self._primary_book is None:
            try:
                rows = self.select("SELECT id FROM accountingbook WHERE isprimary = 'T' ORDER BY id")
            except (PermissionDenied, RequestRejected):
                rows = []
            self._primary_book = int(rows[0]["id"]) if rows else 1
        return self._primary_book

    def select(self, sql: str, params: Sequence[str] = (), *, what: str = "look-up") -> list[dict[str, str]]:
        """All rows of a small, ordered statement, keys in lower case and NULL columns absent: for look-ups, not for
        extraction.
        """
        call = Call(f"suiteql {what}")

        def parse(answer: Answer) -> tuple[list[dict[str, str]], bool]:
            whole, members = split_records(answer.body, ITEMS, vendor=VENDOR, call=call.name)
            raw_records(whole, vendor=VENDOR, call=call.name)
            rows = [
                {name.lower(): str(value) for name, value in row.items() if name != "links"}
                for row in _ROWS.decode(whole)
            ]
            return rows, bytes(members.get("hasMore", b"")) == b"true"

        rows: list[dict[str, str]] = []
        while True:
            found, has_more = self._suiteql(call, sql, params, len(rows), parse)
            rows.extend(found)
            if not has_more:
                return rows
            if len(found) != PAGE_SIZE:
                # The next offset must be a multiple of the limit: there is no asking for the rest.
                raise BadPayload("a page with more to come is not full", vendor=VENDOR, call=call.name)

    # --- what doctor shows ---

    def check(self) -> list[CheckResult]:
        """Sign-in, concurrency, open periods, edition, settings, and the permission for each feed, by small calls."""
        return check_account(self)

    @property
    def token(self) -> CertificateToken | None:
        """What signs the requests; None with token-based authentication, which has no token of its own."""
        return self._auth if isinstance(self._auth, CertificateToken) else None

    def trial(self, entity: str) -> tuple[int, tuple[str, ...]]:
        """Read next to nothing of a feed, but every column: rows seen, and the columns that the account lacks."""
        query = QUERIES[entity]
        reading = Reading(self.client, Call(f"suiteql {entity}"), FEEDS[entity], DECODERS[entity])
        part = Slice(self.client.clock().astimezone(UTC)) if query.changed else Slice()
        count = len(self._read(reading, query, part, is_first_page=True).raws)
        return count, self.missing_columns.get(entity, ())


def _total(scanned: Scanned) -> int | None:
    return member_int(scanned.members.get("totalResults"))


def _is_unexpected(error: ServerFailed) -> bool:
    return error.status == 500 and "UNEXPECTED_ERROR" in (error.detail or "")
