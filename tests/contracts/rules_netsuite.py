"""What NetSuite publishes beside the schemas of its calls: SuiteQL's tables, columns and values, and new addresses.

A statement is taken apart by sqlglot, so the proof shares nothing with what wrote it or answers it but the parser.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from tests.contracts.exchange import Exchange
from tests.contracts.judge import Difference, Rules, lower
from tests.contracts.published_netsuite import EXTERNAL, RESOURCE

_LOCATION = re.compile(r"https?://[^/]+/services/rest/record/v1/[A-Za-z]+/\d+")
_VALUES = {
    "integer": re.compile(r"-?\d+"),
    "decimal": re.compile(r"-?(\d+(\.\d+)?|\.\d+)"),
    "boolean_tf": re.compile(r"[TF]"),
    "list_text": re.compile(r"\d+(, \d+)*"),
}
_SUITEQL = "POST /query/v1/suiteql"
_TOKEN = "POST /auth/oauth2/v1/token"  # a path
_SIGNED = {
    "realm",
    "oauth_signature",
    *(f"oauth_{name}" for name in ("consumer_key", "token", "signature_method", "timestamp", "nonce", "version")),
}
_STEPS = {"dual": frozenset[str]()}
_PSEUDO = frozenset({"rownum", "current_date", "sysdate"})


class NetSuiteRules(Rules):
    """SuiteQL is counted by the table that a statement is about."""

    def __init__(self, contract: Mapping[str, Any]) -> None:
        self._auth = contract["api"]["auth"]
        self._tables = {name.lower(): table["columns"] for name, table in contract["suiteql_tables"].items()}

    def path(self, exchange: Exchange) -> str:
        return exchange.path.replace("/eid:", EXTERNAL)

    def call(self, exchange: Exchange, operation: Mapping[str, Any]) -> str:
        name = super().call(exchange, operation)
        if name != _SUITEQL:
            return name.replace(EXTERNAL, "/eid:")
        statement = _statement(exchange)
        first = statement.find(exp.Table) if statement is not None else None
        return f"SuiteQL {first.name.lower() if first is not None else '?'}"

    def of_request(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[Difference]:
        name = super().call(exchange, operation)
        if name == _TOKEN:
            yield from self._of_assertion(exchange)
        else:
            yield from self._of_authorization(lower(exchange.headers).get("authorization", ""))
        if name != _SUITEQL:
            return
        query = dict(exchange.query)
        if int(query.get("offset", "0")) % int(query.get("limit", "1000")):
            yield "request", "parameter", "offset", "the offset must be a multiple of the limit"
        statement = _statement(exchange)
        if statement is None:
            yield "request", "statement", "", "no SQL that can be parsed"
            return
        if statement.args.get("limit") is not None and not isinstance(statement.args["limit"], exp.Fetch):
            yield "request", "statement", "LIMIT", "the dialect has no LIMIT"
        if any(len(part.expressions) > 1000 for part in statement.find_all(exp.In)):
            yield "request", "statement", "IN", "more than 1000 values"
        asked = exchange.body.count(b"?")
        given = len(json.loads(exchange.body).get("params", ()))
        if asked != given:
            yield "request", "statement", "params", f"{asked} marks, {given} values"
        yield from self._unknown(statement)

    def _of_authorization(self, header: str) -> Iterator[Difference]:
        """A bearer token, or the parameters of a signature, whose value the published vectors prove."""
        scheme, _, rest = header.partition(" ")
        if scheme == "Bearer" and rest:
            return
        found = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "OAuth" or found.keys() != _SIGNED:
            yield "request", "authorization", "", "neither a bearer token nor a whole signature"
            return
        wanted = f'"{self._auth["tba"]["signature_method"]}"'
        if found["oauth_signature_method"] != wanted:
            yield "request", "authorization", "oauth_signature_method", f"not {wanted}"
        if not re.fullmatch(r'"[A-Z0-9_]+"', found["realm"]):
            yield "request", "authorization", "realm", "the account id in upper case with an underscore"

    def _of_assertion(self, exchange: Exchange) -> Iterator[Difference]:
        """The signed JWT of a token request: its algorithm and its claims."""
        published = self._auth["oauth2_m2m"]
        form = dict(parse_qsl(exchange.body.decode()))
        header, claims = (_decoded(part) for part in form.get("client_assertion", ".").split(".")[:2])
        if header.get("alg") not in published["alg"] or header.keys() != {"typ", "alg", "kid"}:
            yield "request", "assertion", "header", "typ, kid and one of the published algorithms"
        if claims.keys() != set(published["claims"]):
            yield "request", "assertion", "claims", "not the published ones"
            return
        if claims["scope"] != [published["scope"]]:
            yield "request", "assertion", "scope", "the list that was seen to work"
        if not 0 < claims["exp"] - claims["iat"] <= published["assertion_max_age_s"]:
            yield "request", "assertion", "exp", "at most an hour after iat"
        if not str(claims["aud"]).endswith("/services/rest/auth/oauth2/v1/token"):
            yield "request", "assertion", "aud", "the token's own address"

    def _unknown(self, statement: exp.Expression) -> Iterator[Difference]:
        """Tables and columns that nobody published."""
        names = _aliases(statement)
        for table in set(names.values()) - self._tables.keys() - _STEPS.keys():
            yield "request", "unpublished table", table, "the contract has no such table"
        own = {alias.alias.lower() for alias in statement.find_all(exp.Alias)}
        for column in statement.find_all(exp.Column):
            name, table = column.name.lower(), column.table.lower()
            owners = [names[table]] if table in names else list(dict.fromkeys(names.values()))
            if any(name in self._tables.get(owner, {}) for owner in owners) or name in _PSEUDO:
                continue
            if not table and name in own:
                continue
            yield "request", "unpublished column", f"{'/'.join(owners)}.{name}", "the contract has no such column"

    def of_answer(self, exchange: Exchange, call: str, operation: Mapping[str, Any]) -> Iterator[Difference]:
        if super().call(exchange, operation) == _SUITEQL:
            if exchange.status == 200:
                yield from self._of_rows(exchange)
            return
        yield from self._of_media_type(exchange, call)
        location = lower(exchange.answer_headers).get("location", "")
        if exchange.status == 204 and exchange.method != "delete" and not _LOCATION.fullmatch(location):
            yield "answer", "header", "Location", "a write is answered by the record's address"

    @staticmethod
    def _of_media_type(exchange: Exchange, call: str) -> Iterator[Difference]:
        """Whether an answer says of itself what it is: a record, a list of them, or an error."""
        kind = lower(exchange.answer_headers).get("content-type", "")
        if not exchange.answer or RESOURCE not in kind:
            return
        wanted = "error" if exchange.status >= 400 else "singular" if call.endswith("}") else "collection"
        if not kind.endswith(f"type={wanted}"):
            yield "answer", "media type", kind, f"this is type={wanted}"

    def _of_rows(self, exchange: Exchange) -> Iterator[Difference]:
        """Rows of texts, keys in lower case, no NULL, and each value of its column's type."""
        headers = lower(exchange.answer_headers)
        if headers.get("preference-applied") != "transient":
            yield "answer", "header", "Preference-Applied", "the answer confirms the preference"
        statement = _statement(exchange)
        forms = self._forms(statement) if statement is not None else {}
        content = json.loads(exchange.answer)
        if content["count"] != len(content["items"]):
            yield "answer", "value", "count", "not the number of rows"
        for row in content["items"]:
            if row.get("links") != []:
                yield "answer", "missing member", "items[].links", "every row has an empty list of links"
            for name, value in row.items():
                if name == "links":
                    continue
                if name not in forms:
                    yield "answer", "undocumented member", f"items[].{name}", "no column of the statement"
                elif not isinstance(value, str):
                    yield "answer", "type", f"items[].{name}", "every value is a text"
                elif (form := forms[name]) is not None and not form.fullmatch(value):
                    yield "answer", "value", f"items[].{name}", f"{value[:20]!r} is not {form.pattern}"

    def _forms(self, statement: exp.Select) -> dict[str, re.Pattern[str] | None]:
        """Column of the answer → what its values look like; None where anything may come."""
        names = _aliases(statement)
        found: dict[str, re.Pattern[str] | None] = {}
        for part in statement.selects:
            inner = part.this if isinstance(part, exp.Alias) else part
            name = part.alias_or_name.lower()
            found[name] = None
            if isinstance(inner, exp.Column):
                owner = names.get(inner.table.lower()) or next(iter(names.values()))
                kind = self._tables.get(owner, {}).get(inner.name.lower(), {}).get("logical_type")
                found[name] = _VALUES.get(str(kind))
            elif isinstance(inner, exp.ToChar | exp.TimeToStr):
                found[name] = _of_mask(str(inner.args["format"].this))
        return found


def _decoded(part: str) -> dict[str, Any]:
    """The header or the claims of a JWT; empty when it is none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_mask(mask: str) -> re.Pattern[str]:
    """What `YYYY-MM-DD"T"HH24:MI:SS"Z"` (or its strftime spelling) looks like."""
    for piece in ("YYYY", "%Y"):
        mask = mask.replace(piece, r"\d{4}")
    for piece in ("HH24", "MM", "DD", "MI", "SS", "%m", "%d", "%H", "%M", "%S"):
        mask = mask.replace(piece, r"\d{2}")
    return re.compile(mask.replace('"', ""))


def _aliases(statement: exp.Expression) -> dict[str, str]:
    """Alias (or name) of every table of a statement → the table's name, in lower case."""
    return {table.alias_or_name.lower(): table.name.lower() for table in statement.find_all(exp.Table)}


def _statement(exchange: Exchange) -> exp.Select | None:
    try:
        found = parse_one(json.loads(exchange.body)["q"], read="oracle")
    except (ValueError, KeyError, TypeError, SqlglotError):
        return None
    return found if isinstance(found, exp.Select) else None
