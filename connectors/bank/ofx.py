"""OFX (Open Financial Exchange) bank and card statements, version 1 (SGML) and 2 (XML), also Quicken's QFX.

Both are read by defusedxml: document types, entities and external references are refused before anything is expanded,
and what is not well-formed is named by line. Version 1 leaves out the end tags of its leaves; they are put in first,
line for line, so that one hardened parser reads both. Elements of other namespaces and unknown elements are passed
over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.bank.csv import file_text
from connectors.bank.entries import (
    ENTITY,
    VENDOR,
    BadEntry,
    Entry,
    EntryReferences,
    Statement,
    StatementFile,
    account_digest,
    entry_hash,
)
from connectors.decoding import plain_decimal
from connectors.errors import BadPayload
from connectors.records import Decoded, Reject

STATEMENTS = ("STMTTRNRS", "CCSTMTTRNRS")
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_AGGREGATES = re.compile(
    r"OFX|(BANK|CREDITCARD)MSGSRSV1|(CC)?STMT(TRN)?RS|STATUS|(BANK|CC)ACCT(FROM|TO)|BANKTRANLIST|STMTTRN|LEDGERBAL"
    r"|(ORIG)?CURRENCY|PAYEE"
)
"""Never taken for a leaf without a value: what stands in them would lose its place."""
_LEAF = re.compile(r"<([A-Za-z0-9._]+)>([^<]*)(</\1\s*>)?")
_END_TAG = re.compile(r"</([A-Za-z0-9._]+)\s*>")
_LONE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
_AMOUNT = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")


class _Period(NamedTuple):
    """A statement without its entries' sum. `closing` is the balance at `to_date`, None when the bank states another
    day's.
    """

    account: str | None
    currency: str | None
    from_date: str | None
    to_date: str | None
    closing: str | None


def decode_ofx(body: bytes) -> Decoded:
    return read_ofx(body).decoded()


def read_ofx(body: bytes) -> StatementFile:
    """Raises BadPayload, with line or element, when the file as a whole is not an OFX statement."""
    root = _root(body)
    lines = list(_entry_lines(body))
    left = iter(lines)
    result = StatementFile([], [], [])
    found = [element for name in STATEMENTS for element in root.iter(name)]
    if not found:
        raise _bad("holds neither <STMTTRNRS> nor <CCSTMTTRNRS>: OFX, but no bank statement")
    for answer in found:
        code = _text(answer, "STATUS/CODE")
        if code is not None and code != "0":
            raise _bad(f"the bank answered <STATUS><CODE>{code[:10]} instead of a statement: ask for the file again")
        statement = answer.find("STMTRS") if answer.tag == "STMTTRNRS" else answer.find("CCSTMTRS")
        if statement is None:
            raise _bad(f"<{answer.tag}> holds no statement: ask the bank for a complete file")
        _read_statement(statement, result, left)
    if len(result.entries) != len(lines):
        raise _bad(
            f"holds {len(lines)} <STMTTRN>, of which {len(result.entries)} stand in a <BANKTRANLIST>: ask the bank"
        )
    return result


def _bad(message: str) -> BadPayload:
    return BadPayload(message, vendor=VENDOR, call=ENTITY)


def _root(body: bytes) -> Element:
    try:
        root = _xml(body)
    except ParseError as error:
        line, column = error.position
        raise _bad(f"not well-formed at line {line}, column {column}: fetch the file again from the bank") from error
    except DefusedXmlException as error:
        raise _bad(
            "the file declares a document type or entities, which a bank statement never does: do not trust the file"
        ) from error
    except (ValueError, LookupError) as error:
        raise _bad("the character encoding cannot be read: fetch the file again from the bank") from error
    if root.tag != "OFX":
        raise _bad(f"element <{root.tag}> where <OFX> is expected: the file is not an OFX statement")
    return root


def _xml(body: bytes) -> Element:
    if body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<?OFX")):
        try:
            root: Element = fromstring(body, forbid_dtd=True)
            return root
        except ParseError:
            # Some banks write the heading of version 2 above a body of version 1: the second reading decides.
            text = _with_end_tags(body)
    else:
        text = _with_end_tags(body)
    version_1: Element = fromstring(text, forbid_dtd=True)
    return version_1


def _with_end_tags(body: bytes) -> str:
    """Version 1 as XML, every character on the line on which it stood."""
    text = file_text(body).replace("\r\n", "\n").replace("\r", "\n")
    start = text.find("<")
    closed = set(_END_TAG.findall(text))

    def leaf(match: re.Match[str]) -> str:
        tag, value, end = match.groups()
        if value.strip():
            value = _LONE_AMPERSAND.sub("&amp;", value.replace("&nbsp;", " "))
            return f"<{tag}>{value}</{tag}>"
        if end is None and tag not in closed and not _AGGREGATES.fullmatch(tag):
            return f"<{tag}/>{value}"
        return match.group()

    return "\n" * text.count("\n", 0, start) + _LEAF.sub(leaf, text[max(start, 0) :])


def _entry_lines(body: bytes) -> Iterator[int]:
    """The line of every <STMTTRN>, in order: an XML tree does not keep lines."""
    line, last = 1, 0
    for match in re.finditer(rb"<STMTTRN>", body):
        line += body.count(b"\n", last, match.start())
        last = match.start()
        yield line


def _text(element: Element, *paths: str) -> str | None:
    for path in paths:
        text = element.findtext(path)
        if text and text.strip():
            return text.strip()
    return None


def _read_statement(element: Element, result: StatementFile, lines: Iterator[int]) -> None:
    rows = element.findall("BANKTRANLIST/STMTTRN")
    period = _period(element, rows)
    statement_id = f"OFX {period.from_date} {period.to_date}"
    first = len(result.entries)
    references = EntryReferences()
    for ordinal, row in enumerate(rows, start=1):
        line = next(lines, 0)
        position = len(result.entries)
        result.hashes.append(entry_hash(statement_id, tostring(row)))
        try:
            result.entries.append(_entry(row, statement_id, period, references))
        except BadEntry as bad:
            where = f"line {line}, STMTTRN[{ordinal}]/{bad.field}"
            result.entries.append(Reject(position, _text(row, "FITID"), where, bad.reason, bad.code))
    opening = _opening(period, result.entries[first:])
    result.statements.append(
        (
            first,
            Statement(
                statement_id,
                period.account,
                period.currency,
                opening,
                period.closing,
                period.from_date,
                period.to_date,
            ),
        )
    )


def _period(element: Element, rows: list[Element]) -> _Period:
    bank, account = _text(element, "BANKACCTFROM/BANKID"), _text(element, "BANKACCTFROM/ACCTID", "CCACCTFROM/ACCTID")
    try:
        currency = _text(element, "CURDEF")
        days = [day for row in rows if (day := _lenient_day(row)) is not None]
        from_date = _day(element, "BANKTRANLIST/DTSTART") or min(days, default=None)
        to_date = _day(element, "BANKTRANLIST/DTEND") or max(days, default=None)
        as_of = _day(element, "LEDGERBAL/DTASOF")
        # The balance is often that of the day on which the file was made, which is not the end of the period.
        closing = (
            _amount(element, "LEDGERBAL/BALAMT", currency or "") if as_of is not None and as_of == to_date else None
        )
    except BadEntry as bad:
        raise _bad(f"{element.tag}/{bad.field} {bad.reason}: ask the bank for a correct file") from bad
    return _Period(f"{bank}/{account}" if bank and account else account, currency, from_date, to_date, closing)


def _opening(period: _Period, entries: list[Entry | Reject]) -> str | None:
    """OFX states no opening balance; it is the closing one less the entries, when all of them can be read."""
    if period.closing is None:
        return None
    total = Decimal(period.closing)
    for entry in entries:
        if isinstance(entry, Reject) or entry.currency != period.currency:
            return None
        if period.to_date is None or entry.booking_date > period.to_date:
            return None
        total -= Decimal(entry.amount)
    return format(total if total else abs(total), "f")


def _lenient_day(row: Element) -> str | None:
    """None for a date that cannot be read: the entry is refused for it, the statement is not."""
    try:
        return _day(row, "DTPOSTED")
    except BadEntry:
        return None


def _day(element: Element, path: str) -> str | None:
    """The calendar date that the bank wrote, whatever time and zone stand behind it."""
    text = _text(element, path)
    if text is None:
        return None
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date().isoformat()  # noqa: DTZ007  a calendar date
    except ValueError:
        raise BadEntry(path, "is not a date such as 20260630", "BAD_TIMESTAMP") from None


def _amount(element: Element, path: str, currency: str) -> str | None:
    """Signed decimal text. Raises BadEntry for separators of thousands: `1,650` is refused, not read as 1.65."""
    text = _text(element, path)
    if text is None:
        return None
    after_comma = text.rpartition(",")[2] if "," in text else ""
    if not _AMOUNT.fullmatch(text) or (len(after_comma) == 3 and currency not in THREE_DECIMALS):
        raise BadEntry(path, "is not a decimal number without separators of thousands", "NOT_A_NUMBER")
    number = Decimal(text.replace(",", "."))
    plain = plain_decimal(format(number if number else abs(number), "f"))
    if plain is None:
        raise BadEntry(path, "has more digits than a bank account can hold", "NOT_A_NUMBER")
    return plain


def _entry(row: Element, statement_id: str, period: _Period, references: EntryReferences) -> Entry:
    booking_date = _day(row, "DTPOSTED")
    if booking_date is None:
        raise BadEntry("DTPOSTED", "is missing", "REQUIRED_MISSING")
    currency = _text(row, "CURRENCY/CURSYM") or period.currency
    if not currency:
        raise BadEntry("CURDEF", "is missing", "REQUIRED_MISSING")
    amount = _amount(row, "TRNAMT", currency)
    if amount is None:
        raise BadEntry("TRNAMT", "is missing", "REQUIRED_MISSING")
    reference, corrected = _text(row, "FITID"), _text(row, "CORRECTFITID")
    if corrected is not None:
        if _text(row, "CORRECTACTION") != "REPLACE":
            raise BadEntry("CORRECTACTION", "takes an earlier entry back: check that entry by hand", "NOT_BOOKED")
        # The newest version of a reference counts, so the correction takes the place of what it corrects.
        reference = corrected
    party = _text(row, "NAME", "PAYEE/NAME", "EXTDNAME")
    account = _text(row, "BANKACCTTO/ACCTID", "CCACCTTO/ACCTID")
    remittance = " ".join(t for t in (_text(row, "MEMO"), _text(row, "CHECKNUM"), _text(row, "REFNUM")) if t) or None
    value_date = _day(row, "DTAVAIL")
    content = (booking_date, value_date, amount, currency, party, account, remittance)
    return Entry(
        statement_id,
        references.reference(statement_id, reference, content),
        booking_date,
        value_date,
        amount,
        currency,
        party,
        account_digest(account) if account else None,
        remittance,
        None,
        _text(row, "TRNTYPE"),
        corrected is not None,
    )
