"""MT940 (SWIFT customer statement): fields read by the library mt-940, their place in the file and their form checked
here.

The library takes what it understands and passes over the rest: `100.00` becomes 100, a second `:61:` without a
transaction type overwrites the first, the information after the closing balance is added to the last entry. A bank
statement must not lose a penny that way, so every field is checked for its strict form first, is handed over alone, and
the entries have to lead from the opening to the closing balance. Whatever does not fit refuses the whole file: the
fields of this format have no frame that would say where the next good entry starts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from mt940 import Options
from mt940.models import Balance, Transactions
from mt940.tags import StatementGLS, Tag

from connectors.bank.csv import file_text
from connectors.bank.details86 import Details, details_of
from connectors.bank.entries import (
    ENTITY,
    VENDOR,
    Entry,
    EntryReferences,
    Statement,
    StatementFile,
    account_digest,
    entry_hash,
    exchanged,
    follows,
)
from connectors.decoding import plain_decimal
from connectors.errors import BadPayload
from connectors.records import Decoded

# The library logs a field that it cannot read with its whole text, which holds names and account numbers.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

_OPTIONS = Options.all()
# The tag of this name takes a customer's reference of any length, so that the bank's behind it is found.
_TAGS: dict[int | str, Tag] = {StatementGLS.id: StatementGLS()}
NO_REFERENCE = frozenset({"NONREF", "NOTPROVIDED", ""})
_FIELD = re.compile(r":(?P<tag>[0-9]{2}[A-Z]?|NS):(?P<value>.*)")
_END = re.compile(r"-\}?(\{5:.*)?$")
_ENVELOPE = re.compile(r"^(\{[1-5]:.*?)?(?=:20:)")
# The library reads 15 characters of an amount, the standard's limit, and passes over the rest.
_AMOUNT = r"(?=[0-9,]{1,15}(?![0-9,]))[0-9]{1,15}(,[0-9]{0,3})?"
_BALANCE = re.compile(rf"[DC][0-9]{{6}}[A-Z]{{3}}{_AMOUNT}")
_LINE = re.compile(rf"[0-9]{{6}}([0-9]{{4}}| {{4}})?R?[DC][A-Z]?[\n ]?{_AMOUNT}[A-Z][A-Z0-9 ]{{3}}")
_KNOWN = re.compile(r"13D?|20|21|25P?|28C?|34F|6[02][FM]|61|64|65|86|90[CD]|NS")


@dataclass(slots=True)
class _Field:
    tag: str
    line: int
    value: str


@dataclass(slots=True)
class _Message:
    """One message, from `:20:` on. `lines` are its entries: `:61:` with the `:86:` that belong to it."""

    reference: _Field
    account: _Field | None = None
    number: _Field | None = None
    opening: _Field | None = None
    closing: _Field | None = None
    lines: list[tuple[_Field, list[_Field]]] = field(default_factory=list)
    last_line: int = 0


def decode_mt940(body: bytes) -> Decoded:
    return read_mt940(body).decoded()


def read_mt940(body: bytes) -> StatementFile:
    """Raises BadPayload, with the line at fault, when anything in the file cannot be read or does not add up."""
    result = StatementFile([], [], [])
    references = EntryReferences()
    previous: Statement | None = None
    chain = ""
    for message in _messages(_fields(file_text(body))):
        read = [_read(line) for line, _ in message.lines]
        statement, opening, closing = _statement(message, [data["booked"] for _, data in read])
        # The pages of one statement, and the statements of one day, share no line: equal lines in them are two.
        continues = previous is not None and follows(statement, previous)
        if not continues:
            # A statement may stand in a file twice: its entries then have the same references both times.
            references, chain = EntryReferences(), statement.statement_id
        previous = statement
        result.statements.append((len(result.entries), statement))
        total = opening
        for (line, details), (transactions, data) in zip(message.lines, read, strict=True):
            for found in details:
                _feed(transactions, found)
            told = details_of(transactions[-1].data) if details else Details()
            entry, amount = _entry(line, data, told, statement, references, chain)
            total += amount
            result.entries.append(entry)
            text = "\n".join(f.value for f in (line, *details))
            result.hashes.append(entry_hash(statement.statement_id, text.encode()))
        if total != closing:
            assert message.closing is not None  # _statement refuses a message without one
            raise _bad(
                message.closing.line,
                f"the closing balance is {closing}, the opening balance with all entries gives {total}: "
                f"{closing - total} is missing; fetch the file again from the bank",
            )
    if not result.statements:
        raise BadPayload("holds no :20:, so no statement: ask the bank for a complete file", vendor=VENDOR, call=ENTITY)
    return result


def _bad(line: int, message: str) -> BadPayload:
    return BadPayload(f"line {line}: {message}", vendor=VENDOR, call=ENTITY)


def _fields(text: str) -> Iterator[_Field | None]:
    """Fields in order; None where a message ends. Lines outside of a message are the envelope of a bank's system."""
    current: _Field | None = None
    is_inside = False
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        line = raw.rstrip()
        if not is_inside:
            line = _ENVELOPE.sub("", line.lstrip(), count=1)
        if _END.fullmatch(line):
            if current is not None:
                yield current
            yield None
            current, is_inside = None, False
            continue
        match = _FIELD.fullmatch(line)
        tag = match["tag"] if match else None
        if match is None or tag is None or (not _KNOWN.fullmatch(tag) and current is not None and current.tag == "86"):
            if current is not None and line:
                current.value += f"\n{line}"
            continue
        if not is_inside and tag != "20":
            raise _bad(number, f":{tag}: stands outside of a statement, before :20:; ask the bank for a complete file")
        if current is not None:
            yield current
        current, is_inside = _Field(tag, number, match["value"].strip()), True
    if current is not None:
        yield current


def _messages(fields: Iterator[_Field | None]) -> Iterator[_Message]:
    message: _Message | None = None
    for found in fields:
        if found is None or found.tag == "20":
            if message is not None:
                yield message
            message = None if found is None else _Message(found, last_line=found.line)
            continue
        assert message is not None  # _fields refuses a field outside of a message
        message.last_line = found.line
        match found.tag:
            case "25" | "25P":
                message.account = found
            case "28" | "28C":
                message.number = found
            case "60F" | "60M":
                if message.opening is not None:
                    raise _bad(found.line, "a second opening balance in one statement: :20: or :62F: is missing")
                message.opening = found
            case "61":
                if message.opening is None or message.closing is not None:
                    raise _bad(found.line, "an entry outside of :60F: and :62F:; ask the bank for a complete file")
                message.lines.append((found, []))
            case "86":
                # Behind the closing balance it tells about the statement, and before the first entry about nothing.
                if message.lines and message.closing is None:
                    message.lines[-1][1].append(found)
            case "62F" | "62M":
                if message.closing is not None:
                    raise _bad(found.line, "a second closing balance in one statement: :20: or :60F: is missing")
                message.closing = found
    if message is not None:
        yield message


def _statement(message: _Message, days: list[date]) -> tuple[Statement, Decimal, Decimal]:
    for name, found in ((":25:", message.account), (":60F:", message.opening), (":62F:", message.closing)):
        if found is None:
            raise _bad(
                message.last_line,
                f"the statement that starts at line {message.reference.line} ends here without {name}: "
                "the file is cut off; fetch it again from the bank",
            )
    assert message.account is not None
    assert message.opening is not None
    assert message.closing is not None
    opening_day, opening, currency = _balance(message.opening)
    closing_day, closing, closing_currency = _balance(message.closing)
    if currency != closing_currency:
        raise _bad(message.closing.line, f"the closing balance is in {closing_currency}, the opening one in {currency}")
    number = message.number.value if message.number else message.reference.value
    statement = Statement(
        f"{number} {opening_day} {closing_day}",
        message.account.value.split("\n")[0],
        currency,
        _text(opening, message.opening.line),
        _text(closing, message.closing.line),
        min(days, default=opening_day).isoformat(),
        max([closing_day, *days]).isoformat(),
    )
    return statement, opening, closing


def _balance(found: _Field) -> tuple[date, Decimal, str]:
    if not _BALANCE.fullmatch(found.value):
        raise _bad(found.line, f":{found.tag}: is not a mark, a date, a currency and an amount such as C260630GBP1,00")
    transactions = _transactions()
    _feed(transactions, found)
    (balance,) = (value for value in transactions.data.values() if isinstance(value, Balance))
    amount: Any = balance.amount
    assert balance.date is not None  # the form has one
    return date(balance.date.year, balance.date.month, balance.date.day), amount.amount, amount.currency


def _transactions() -> Transactions:
    return Transactions(tags=_TAGS, options=_OPTIONS)


def _feed(transactions: Transactions, found: _Field) -> None:
    first, *more = found.value.split("\n")
    # The library takes one line of supplementary details.
    value = "\n".join(filter(None, (first, " ".join(more)))) if found.tag == "61" else found.value
    try:
        transactions.parse(f":{found.tag}:{value}")
    except (RuntimeError, ValueError, ArithmeticError) as error:
        # Not `from error`: the library puts the field's text, with names in it, into its message.
        kind = type(error).__name__
        raise _bad(found.line, f":{found.tag}: cannot be read ({kind}): ask the bank for a correct file") from None


def _read(line: _Field) -> tuple[Transactions, dict[str, Any]]:
    """An entry, before its details; the collection takes those next."""
    if not _LINE.match(line.value):
        raise _bad(
            line.line,
            ":61: is not a date, a mark (C, D, RC or RD), an amount with a decimal comma and a transaction type, such "
            "as 2606300630C1,00NTRF",
        )
    transactions = _transactions()
    _feed(transactions, line)
    data = dict(transactions[-1].data)
    data["booked"] = _plain_date(data.get("entry_date") or data["date"])
    return transactions, data


def _plain_date(day: date) -> date:
    return date(day.year, day.month, day.day)


def _text(amount: Decimal, line: int) -> str:
    plain = plain_decimal(format(amount if amount else abs(amount), "f").rstrip("."))
    if plain is None:
        raise _bad(line, "the amount has more digits than a bank account can hold")
    return plain


def _entry(
    line: _Field,
    data: dict[str, Any],
    told: Details,
    statement: Statement,
    references: EntryReferences,
    chain: str,
) -> tuple[Entry, Decimal]:
    value: Decimal = data["amount"].amount
    amount = _text(value, line.line)
    assert statement.currency is not None  # :60F: has one
    currency = statement.currency
    own_reference = _given(data.get("bank_reference"))
    end_to_end = _given(told.end_to_end_id) or _given(data.get("customer_reference"))
    remittance = " ".join(t for t in (told.remittance, " ".join((data.get("extra_details") or "").split())) if t)
    booked, valued = data["booked"].isoformat(), _plain_date(data["date"]).isoformat()
    content = (booked, valued, amount, currency, told.party, told.account, remittance, end_to_end, data["id"])
    entry = Entry(
        statement.statement_id,
        references.reference(statement.statement_id, own_reference, content, chain=chain),
        booked,
        valued,
        amount,
        currency,
        told.party,
        account_digest(told.account) if told.account else None,
        remittance or None,
        end_to_end,
        "/".join(t for t in (str(data["id"]).strip(), told.code) if t),
        str(data["status"]).upper().startswith("R"),
        *exchanged(told.sent_amount, told.sent_currency, amount, currency),
    )
    return entry, value


def _given(reference: str | None) -> str | None:
    text = (reference or "").strip()
    return None if text.upper() in NO_REFERENCE else text
