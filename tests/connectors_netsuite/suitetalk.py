"""A small NetSuite on the loopback: SuiteQL run by an embedded database, records kept in memory, faults on request.

It behaves as the reference describes: every value is a text, a NULL column is missing from its row, a column or table
that is switched off is refused with NetSuite's words, time stamps are kept in the account's zone (seven hours behind
UTC), a total stops at `ceiling`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb

from connectors.netsuite.queries import QUERIES
from connectors.records import Kind

TYPES = {Kind.ID: "BIGINT", Kind.TEXT: "VARCHAR", Kind.AMOUNT: "DECIMAL(28,8)", Kind.BOOLEAN: "VARCHAR"}
TEXT_IDS = {"linktype"}
MACROS = """
create macro nvl(a, b) as coalesce(a, b);
create macro sys_extract_utc(x) as x + interval 7 hour;
create macro to_char(x, f) as case f
    when 'YYYY-MM-DD' then strftime(x, '%Y-%m-%d')
    when 'YYYY-MM-DD HH24:MI:SS' then strftime(x, '%Y-%m-%d %H:%M:%S')
    else strftime(x, '%Y-%m-%dT%H:%M:%SZ') end;
create macro to_date(x, f) as cast(strptime(x, '%Y-%m-%d') as timestamp);
create macro to_timestamp(x, f) as strptime(x, '%Y-%m-%d %H:%M:%S');
create table dual (dummy varchar);
insert into dual values ('X');
"""


@dataclass
class Asked:
    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def sql(self) -> str:
        return str(json.loads(self.body)["q"])


@dataclass
class Reply:
    """`is_cut` closes the connection without an answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False


def refusal(status: int, code: str, detail: str, title: str = "Bad Request") -> Reply:
    return Reply(
        status,
        {
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1",
            "title": title,
            "status": status,
            "o:errorDetails": [{"detail": detail, "o:errorCode": code}],
        },
    )


class Suitetalk:
    """`before` may answer a request in the server's place; `records` handles the record service."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.absent: set[str] = set()
        self.absent_silently: set[str] = set()
        self.forbidden: set[str] = set()
        self.ceiling = 100_000
        self.page_limit = 1000
        self.before: Callable[[Asked], Reply | None] = lambda _: None
        self.records: Callable[[Asked], Reply] = lambda _: refusal(404, "NONEXISTENT_ID", "no record service")
        self.lock = threading.RLock()
        self.database = duckdb.connect()
        self.database.execute(MACROS)
        self._create_tables()

    def _create_tables(self) -> None:
        tables: dict[str, dict[str, str]] = {"accountingbook": {"id": "BIGINT", "isprimary": "VARCHAR"}}
        for query in QUERIES.values():
            pairs = re.findall(r"(?:^|JOIN )(\w+) (\w+)\b", query.source)
            names = {alias: table for table, alias in pairs}
            columns = [(f.of, f.column.kind, f.sql) for f in query.fields]
            columns += [(k.sql, Kind.ID, "") for k in query.keys if k.kind == "number"]
            columns += [(of, Kind.TEXT, f"UTC({of})") for of in query.changed]
            columns += [(n, Kind.TEXT, "") for c in query.conditions for n in c.needs]
            for of, kind, sql in columns:
                alias, _, column = of.rpartition(".")
                typed = "VARCHAR" if column in TEXT_IDS else TYPES.get(kind, "TIMESTAMP")
                if "UTC(" in sql:
                    typed = "TIMESTAMP"
                tables.setdefault(names[alias], {}).setdefault(column, typed)
        tables["trackingnumber"] |= {"id": "BIGINT"}
        for table, columns_of in tables.items():
            declared = ", ".join(f'"{name}" {kind}' for name, kind in columns_of.items())
            self.database.execute(f'create table "{table}" ({declared})')

    def insert(self, table: str, **values: Any) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        with self.lock:
            self.database.execute(f'insert into "{table}" ({names}) values ({marks})', list(values.values()))

    def execute(self, sql: str) -> None:
        with self.lock:
            self.database.execute(sql)

    # --- answers ---

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            self.asked.append(asked)
        reply = self.before(asked)
        if reply is not None:
            return reply
        if asked.path.endswith("/oauth2/v1/token"):
            return Reply(body={"access_token": "good", "expires_in": "3600", "token_type": "Bearer"})
        if asked.path == "/services/rest/query/v1/suiteql":
            return self.suiteql(asked)
        if asked.path.startswith("/services/rest/record/v1/"):
            return self.records(asked)
        return refusal(404, "NONEXISTENT_ID", "no such service", "Not Found")

    def suiteql(self, asked: Asked) -> Reply:
        body = json.loads(asked.body)
        sql = str(body["q"])
        if asked.headers.get("prefer") != "transient":
            return refusal(400, "INVALID_HEADER", "Prefer: transient is required")
        if " LIMIT " in sql.upper():
            return refusal(400, "INVALID_PARAMETER", "Invalid search query. LIMIT")
        problem = self._problem(sql)
        if problem is not None:
            return problem
        limit, offset = int(asked.parameters.get("limit", "1000")), int(asked.parameters.get("offset", "0"))
        if limit > 1000 or offset % limit:
            return refusal(400, "INVALID_PARAMETER", "offset must be divisible by limit")
        limit = min(limit, self.page_limit)
        sql = re.sub(r"FETCH FIRST (\d+) ROWS ONLY$", r"LIMIT \1", sql)
        # Names of what ids refer to are not kept here: any text will do.
        sql = re.sub(r"BUILTIN\.DF\(([\w.]+)\)", r"'name of ' || \1", sql)
        with self.lock:
            total = self.database.execute(f"select count(*) from ({sql})", body.get("params")).fetchall()[0][0]
            cursor = self.database.execute(f"select * from ({sql}) limit {limit} offset {offset}", body.get("params"))
            names = [d[0].lower() for d in cursor.description]
            rows = cursor.fetchall()
        items = [
            {"links": [], **{n: _text(v) for n, v in zip(names, row, strict=True) if v is not None}} for row in rows
        ]
        return Reply(
            body={
                "links": [],
                "count": len(items),
                "hasMore": offset + len(items) < total,
                "offset": offset,
                "totalResults": min(total, self.ceiling),
                "items": items,
            }
        )

    def _problem(self, sql: str) -> Reply | None:
        lead = "Invalid search query. Detailed unprocessed description follows. Search error occurred: "
        for table in self.forbidden:
            if re.search(rf"(?:FROM|JOIN) {table}\b", sql):
                return refusal(400, "INVALID_PARAMETER", f"{lead}Record '{table}' was not found.")
        for of in self.absent:
            if re.search(rf"\b{re.escape(of)}\b", sql):
                name = of.rpartition(".")[2]
                text = f"{lead}Unknown identifier '{name}'. Available identifiers are: {{transaction=transaction}}."
                return refusal(400, "INVALID_PARAMETER", text)
        for of in self.absent_silently:
            if re.search(rf"\b{re.escape(of)}\b", sql):
                return refusal(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: abc", "Server Error")
        return None


def _text(value: Any) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0") or "0" if "." in text else text


@contextmanager
def serving(suitetalk: Suitetalk) -> Iterator[str]:
    """The server's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            reply = suitetalk.answer(
                Asked(
                    self.command,
                    parts.path,
                    {n: v[-1] for n, v in parse_qs(parts.query, keep_blank_values=True).items()},
                    {n.lower(): v for n, v in self.headers.items()},
                    self.rfile.read(length),
                )
            )
            if reply.is_cut:
                self.close_connection = True
                self.connection.close()
                return
            content = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = _serve

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                return  # the connection was cut on purpose

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
