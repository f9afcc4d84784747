"""CAMT.053 (ISO 20022 bank-to-customer statement), every version: the elements read here have kept their names.

Read with defusedxml: document types, entities and external references are refused before anything is expanded. One
record is one `Ntry`. A batch (`Ntry` with several `TxDtls`) stays one record, because it is one line of the account.
The direction of money is `CdtDbtInd` alone; `RvslInd` only tells that the line takes an earlier one back.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.bank.entries import (
    ENTITY,
    VENDOR,
    BadEntry,
    Entry,
    EntryReferences,
    Statement,
    StatementFile,
    account_digest,
    calendar_date,
    entry_hash,
    exchanged,
    negated,
    unsigned_amount,
)
from connectors.errors import BadPayload
from connectors.records import Decoded, Reject

NOT_PROVIDED = "NOTPROVIDED"
BOOKED = "BOOK"


def is_xml(body: bytes) -> bool:
    return body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def decode_camt053(body: bytes) -> Decoded:
    return read_camt053(body).decoded()


def read_camt053(body: bytes) -> StatementFile:
    """Raises BadPayload, with line and element, when the file as a whole is not a CAMT.053 document."""
    statements = _statements(body)
    result = StatementFile([], [], [])
    references = EntryReferences()
    for number, element in enumerate(statements, start=1):
        statement = _statement(element, number)
        result.statements.append((len(result.entries), statement))
        for ordinal, entry in enumerate(_children(element, "Ntry"), start=1):
            position = len(result.entries)
            result.hashes.append(entry_hash(statement.statement_id, tostring(entry)))
            try:
                result.entries.append(_entry(entry, statement, references))
            except BadEntry as bad:
                reference = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
                where = f"Stmt[{number}]/Ntry[{ordinal}]/{bad.field}"
                result.entries.append(Reject(position, reference, where, bad.reason, bad.code))
    return result


def _bad(message: str, detail: str | None = None) -> BadPayload:
    return BadPayload(message, vendor=VENDOR, call=ENTITY, detail=detail)


def _statements(body: bytes) -> list[Element]:
    try:
        root = fromstring(body, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise _bad(
            f"not well-formed XML at line {line}, column {column}: fetch the file again from the bank"
        ) from error
    except DefusedXmlException as error:
        raise _bad(
            "the XML declares a document type or entities, which a bank statement never does: do not trust the file"
        ) from error
    except (ValueError, LookupError) as error:
        raise _bad(
            "the XML's character encoding cannot be read: fetch the file again from the bank", str(error)
        ) from error
    message: Element | None = root if _local(root) == "BkToCstmrStmt" else _find(root, "BkToCstmrStmt")
    if message is None:
        found = _local(root[0]) if len(root) else _local(root)
        raise _bad(f"element <{found}> where <BkToCstmrStmt> is expected: the file is XML but not a CAMT.053 statement")
    statements = list(_children(message, "Stmt"))
    if not statements:
        raise _bad("<BkToCstmrStmt> holds no <Stmt>: the statement is empty; ask the bank for a complete file")
    return statements


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _local(child) == name)


def _find(element: Element, path: str) -> Element | None:
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return None
        found = next(_children(found, name), None)
    return found


def _text(element: Element, *paths: str) -> str | None:
    """The text of the first of these paths that has any."""
    for path in paths:
        found = _find(element, path)
        if found is not None and found.text and found.text.strip():
            return found.text.strip()
    return None


def _statement(element: Element, number: int) -> Statement:
    statement_id = _text(element, "Id")
    if statement_id is None:
        raise _bad(f"Stmt[{number}] has no <Id>: it cannot be told from others; ask the bank for a complete file")
    try:
        return Statement(
            statement_id,
            _text(element, "Acct/Id/IBAN", "Acct/Id/Othr/Id"),
            _text(element, "Acct/Ccy"),
            _balance(element, ("OPBD", "PRCD")),
            _balance(element, ("CLBD",)),
            _date(element, "FrToDt/FrDtTm", "FrToDt/FrDt"),
            _date(element, "FrToDt/ToDtTm", "FrToDt/ToDt"),
        )
    except BadEntry as bad:
        raise _bad(f"Stmt[{number}]/{bad.field} {bad.reason}: ask the bank for a correct file") from bad


def _balance(statement: Element, codes: tuple[str, ...]) -> str | None:
    for code in codes:
        for balance in _children(statement, "Bal"):
            if _text(balance, "Tp/CdOrPrtry/Cd") == code:
                return _signed(balance)
    return None


def _signed(element: Element) -> str:
    amount = unsigned_amount(_text(element, "Amt") or "", "Amt")
    direction = _text(element, "CdtDbtInd")
    if direction not in {"CRDT", "DBIT"}:
        raise BadEntry("CdtDbtInd", "is neither CRDT nor DBIT", "WRONG_TYPE")
    return amount if direction == "CRDT" else negated(amount)


def _date(element: Element, *paths: str) -> str | None:
    text = _text(element, *paths)
    return None if text is None else calendar_date(text, paths[0])


def _entry(entry: Element, statement: Statement, references: EntryReferences) -> Entry:
    status = _text(entry, "Sts/Cd", "Sts")
    if status not in {BOOKED, None}:
        raise BadEntry("Sts", "is not BOOK: the line is not booked yet", "NOT_BOOKED")
    amount_element = _find(entry, "Amt")
    amount = _signed(entry)
    currency = (amount_element.get("Ccy") if amount_element is not None else None) or statement.currency
    if not currency:
        raise BadEntry("Amt/@Ccy", "is missing", "REQUIRED_MISSING")
    booking_date = _date(entry, "BookgDt/Dt", "BookgDt/DtTm")
    if booking_date is None:
        raise BadEntry("BookgDt", "is missing", "REQUIRED_MISSING")
    value_date = _date(entry, "ValDt/Dt", "ValDt/DtTm")
    details = [tx for group in _children(entry, "NtryDtls") for tx in _children(group, "TxDtls")]
    party, account = _counterparty(details, is_credit=not amount.startswith("-"))
    remittance = _remittance(entry, details)
    end_to_end = next((t for tx in details if (t := _text(tx, "Refs/EndToEndId"))), None)
    own_reference = _text(entry, "AcctSvcrRef") or (
        _text(details[0], "Refs/AcctSvcrRef") if len(details) == 1 else None
    )
    content = (booking_date, value_date, amount, currency, party, account, remittance, end_to_end)
    return Entry(
        statement.statement_id,
        references.reference(statement.statement_id, own_reference, content),
        booking_date,
        value_date,
        amount,
        currency,
        party,
        account_digest(account) if account else None,
        remittance,
        None if end_to_end == NOT_PROVIDED else end_to_end,
        _transaction_code(entry),
        (_text(entry, "RvslInd") or "").lower() in {"true", "1"},
        *_sent(entry, details, amount, currency),
    )


def _sent(entry: Element, details: list[Element], amount: str, currency: str) -> tuple[str | None, str | None]:
    """The instructed amount, where it is in another currency. Of a batch there is none that speaks for the whole."""
    places = [entry, *details[:1]] if len(details) <= 1 else [entry]
    for place in places:
        element = _find(place, "AmtDtls/InstdAmt/Amt")
        if element is not None and element.text:
            sent = unsigned_amount(element.text, "AmtDtls/InstdAmt/Amt")
            return exchanged(sent, element.get("Ccy"), amount, currency)
    return None, None


def _counterparty(details: list[Element], *, is_credit: bool) -> tuple[str | None, str | None]:
    """Name and account of the other side: who paid when money came in, who was paid when it went out."""
    side = "Dbtr" if is_credit else "Cdtr"
    for tx in details:
        parties = _find(tx, "RltdPties")
        if parties is None:
            continue
        name = _text(parties, f"{side}/Nm", f"{side}/Pty/Nm", f"Ultmt{side}/Nm", f"Ultmt{side}/Pty/Nm")
        account = _text(parties, f"{side}Acct/Id/IBAN", f"{side}Acct/Id/Othr/Id")
        if name or account:
            return name, account
    return None, None


def _remittance(entry: Element, details: list[Element]) -> str | None:
    parts: list[str] = []
    for tx in details:
        information = _find(tx, "RmtInf")
        if information is not None:
            parts.extend(u.text.strip() for u in _children(information, "Ustrd") if u.text and u.text.strip())
            for structured in _children(information, "Strd"):
                reference = _text(structured, "CdtrRefInf/Ref")
                if reference:
                    parts.append(reference)
    if not parts:
        parts = [t for t in (_text(entry, "AddtlNtryInf"),) if t]
    return " ".join(parts) or None


def _transaction_code(entry: Element) -> str | None:
    code = _find(entry, "BkTxCd")
    if code is None:
        return None
    parts = (_text(code, "Domn/Cd"), _text(code, "Domn/Fmly/Cd"), _text(code, "Domn/Fmly/SubFmlyCd"))
    return "/".join(p for p in parts if p) or _text(code, "Prtry/Cd")
