"""Values that clients send, in the query or in a JSON body, checked as strictly as the platform checks them.

A bad value of a known name raises BadParameter, which is answered with 400 and names the field. Names that a call does
not know are ignored, as the platform does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from starlette.datastructures import QueryParams

from sandbox.clock import milliseconds

MAXIMUM_VALUES = 100

# How a list travels in a query: one comma-separated text (old calls), the name repeated (newer ones), or either.
ListForm = Literal["COMMA", "REPEATED", "EITHER"]


class BadParameter(Exception):
    """A known parameter with a value it cannot have: answered with 400 and the field named."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def check_values(name: str, values: Sequence[str], allowed: frozenset[str] | None = None) -> None:
    """At most 100 values, each one of `allowed`."""
    if len(values) > MAXIMUM_VALUES:
        raise BadParameter(name, f"limit of {MAXIMUM_VALUES} exceeded for the parameter '{name}'")
    for value in values:
        if allowed is not None and value not in allowed:
            raise BadParameter(name, f"'{value}' is not a valid value for '{name}'")


def whole_number(name: str, value: str) -> int:
    if not (value.isascii() and value.lstrip("-").isdigit()):
        raise BadParameter(name, f"'{value}' is not a valid integer for '{name}'")
    return int(value)


def within(name: str, number: int, low: int, high: int | None) -> int:
    if number < low or (high is not None and number > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise BadParameter(name, f"'{name}' must be {bounds}, not {number}")
    return number


def instant(name: str, value: str) -> int:
    """An ISO 8601 date-time in milliseconds; an unencoded `+` that arrived as a blank makes it invalid."""
    if "T" in value:
        try:
            return milliseconds(value)
        except ValueError:
            pass
    raise BadParameter(name, f"'{value}' is not a valid date-time for '{name}' (ISO 8601 expected)")


class Query:
    """The parameters of a URL."""

    def __init__(self, parameters: QueryParams) -> None:
        self._parameters = parameters

    def text(self, name: str) -> str | None:
        return self._parameters.get(name)

    def many(self, name: str, allowed: frozenset[str] | None = None, form: ListForm = "REPEATED") -> tuple[str, ...]:
        raw = [self.text(name) or ""] if form == "COMMA" else self._parameters.getlist(name)
        parts = raw if form == "REPEATED" else [part for value in raw for part in value.split(",")]
        values = tuple(part.strip() for part in parts if part.strip())
        check_values(name, values, allowed)
        return values

    def whole_numbers(self, name: str, form: ListForm = "REPEATED") -> tuple[str, ...]:
        """A list of integers, as text."""
        return tuple(str(whole_number(name, value)) for value in self.many(name, form=form))

    def one(self, name: str, allowed: frozenset[str], default: str | None = None) -> str | None:
        value = self.text(name) or default
        if value is not None:
            check_values(name, (value,), allowed)
        return value

    def time(self, name: str) -> int | None:
        value = self.text(name)
        return instant(name, value) if value else None

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise BadParameter(name, f"'{value}' is not a valid boolean for '{name}'")
        return value == "true"

    def whole(self, name: str, default: int, low: int, high: int | None) -> int:
        value = self.text(name)
        return within(name, whole_number(name, value), low, high) if value else default


class Body:
    """The members of a JSON object in a request's body."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def text(self, name: str) -> str | None:
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            raise BadParameter(name, f"'{name}' must be a string")
        return value or None

    def many(self, name: str, allowed: frozenset[str] | None = None) -> tuple[str, ...]:
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise BadParameter(name, f"'{name}' must be a list of strings")
        check_values(name, values, allowed)
        return tuple(values)

    def whole_numbers(self, name: str) -> tuple[str, ...]:
        """A list of integers, as text."""
        values = self._list(name)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise BadParameter(name, f"'{name}' must be a list of integers")
        texts = tuple(map(str, values))
        check_values(name, texts)
        return texts

    def _list(self, name: str) -> list[Any]:
        values = self._members.get(name)
        if values is None:
            return []
        if not isinstance(values, list):
            raise BadParameter(name, f"'{name}' must be a list")
        return values

    def one(self, name: str, allowed: frozenset[str], default: str | None = None) -> str | None:
        value = self.text(name) or default
        if value is not None:
            check_values(name, (value,), allowed)
        return value

    def time(self, name: str) -> int | None:
        value = self.text(name)
        return instant(name, value) if value else None

    def flag(self, name: str) -> bool | None:
        value = self._members.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadParameter(name, f"'{name}' must be a boolean")
        return value

    def whole(self, name: str, default: int, low: int, high: int | None) -> int:
        value = self._members.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            # The published example of TL03 sends "megabytes_per_chunk": "10".
            value = whole_number(name, value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadParameter(name, f"'{name}' must be an integer")
        return within(name, value, low, high)

    def mapping(self, name: str) -> dict[str, str]:
        """An object whose members are texts."""
        value = self._members.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            raise BadParameter(name, f"'{name}' must be an object of strings")
        return value
