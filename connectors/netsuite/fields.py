"""One selected column: what SuiteQL is asked for, and what it becomes in a raw table.

SuiteQL answers every value as text and leaves a NULL out of its row. Dates come in the account's format and time
stamps in its zone unless they are rendered by the query, which is what these constructors see to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from connectors import columns
from connectors.forms import plain_decimal
from connectors.records import Column

DAY_FORM = "YYYY-MM-DD"
SECOND_FORM = "YYYY-MM-DD HH24:MI:SS"
INSTANT_FORM = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
_BARE_FRACTION = re.compile(r"(-?)(\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Field:
    """`column` in the raw table; `sql` selects it; `of` is the vendor's column (`t.trandate`), `function` the text of a
    function of `BUILTIN` around it, which not every account need allow.
    """

    column: Column
    sql: str
    of: str
    function: str | None = None

    @property
    def identifier(self) -> str:
        """The vendor's column without its table, as NetSuite's error texts name it."""
        return self.of.rpartition(".")[2]


def utc(of: str) -> str:
    """A time stamp as the text of its instant in UTC: without SYS_EXTRACT_UTC it is the account's local time, even
    when the form ends in Z.
    """
    return f"TO_CHAR(SYS_EXTRACT_UTC({of}),'{INSTANT_FORM}')"


def decimal_text(raw: bytes) -> str | None:
    """A number of SuiteQL as plain digits: NetSuite may leave the zero before the point out."""
    value = msgspec.json.decode(raw, type=str | msgspec.Raw)
    text = value if isinstance(value, str) else bytes(value).decode()
    if not text:
        return None
    if bare := _BARE_FRACTION.fullmatch(text):
        text = f"{bare[1]}0{bare[2]}"
    plain = plain_decimal(text)
    if plain is None:
        raise ValueError("not a decimal number")
    return plain


def boolean_text(raw: bytes) -> str | None:
    """`T` and `F` in JSON's spelling."""
    value = msgspec.json.decode(raw)
    if value == "":
        return None
    if value in ("T", True):
        return "true"
    if value in ("F", False):
        return "false"
    raise ValueError("neither T nor F")


def _name(of: str, name: str | None) -> str:
    return name or of.rpartition(".")[2]


def _plain(of: str, name: str) -> str:
    return of if of.rpartition(".")[2] == name else f"{of} AS {name}"


def ident(of: str, name: str | None = None) -> Field:
    """An id that every row has."""
    name = _name(of, name)
    return Field(columns.key(name), _plain(of, name), of)


def ref(of: str, name: str | None = None) -> Field:
    """The id of another record, where the row has one."""
    name = _name(of, name)
    return Field(columns.key(name, required=False), _plain(of, name), of)


def word(of: str, name: str | None = None) -> Field:
    """Text as it stands."""
    name = _name(of, name)
    return Field(columns.text(name), _plain(of, name), of)


def shown(of: str, name: str) -> Field:
    """What a person sees where a row holds an id: the name of the record that it refers to."""
    function = f"BUILTIN.DF({of})"
    return Field(columns.text(name), f"{function} AS {name}", of, function)


def number(of: str, name: str | None = None) -> Field:
    """Money, a rate or a quantity. A whole number may come as one, a fraction without its leading zero."""
    name = _name(of, name)
    return Field(columns.amount(name, via=decimal_text), _plain(of, name), of)


def yes(of: str, name: str | None = None) -> Field:
    """A boolean, null where NetSuite holds none."""
    name = _name(of, name)
    return Field(columns.flag(name, via=boolean_text), _plain(of, name), of)


def day(of: str, name: str | None = None) -> Field:
    """A calendar date, without any zone."""
    name = _name(of, name)
    return Field(columns.stamp(name), f"TO_CHAR({of},'{DAY_FORM}') AS {name}", of)


def instant(of: str, name: str | None = None) -> Field:
    """A time stamp, in UTC, to the second."""
    name = _name(of, name)
    return Field(columns.stamp(name), f"{utc(of)} AS {name}", of)
