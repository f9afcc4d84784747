"""Bodies that Sage 200 is sent: types, lengths, decimals and required properties as published, and their amounts."""

import re
from decimal import Decimal
from typing import Any

from sandbox.clock import milliseconds
from sandbox.sage_company import contract

ZERO = Decimal("0.00")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")


class PostingError(ValueError):
    """A document that Sage refuses with 400; the text is the body and names the first error only."""


def check_body(resource: str, body: Any) -> dict[str, Any]:
    """Types, lengths, decimals and required properties as published. Unknown properties are ignored, as the vendor
    does.

    Raises PostingError with the first error.
    """
    if not isinstance(body, dict):
        raise PostingError("The request body is not a JSON object.")
    _check_fields(contract()["bodies"][resource], body, "")
    return body


def _check_fields(schema: dict[str, Any], body: dict[str, Any], path: str) -> None:
    for name, rule in schema.items():
        value = body.get(name)
        label = path + name
        if value is None:
            # nominal_journal_items is the old name of nominal_analysis_items and stands in for it.
            is_aliased = name == "nominal_analysis_items" and body.get("nominal_journal_items")
            if rule.get("required") and not is_aliased:
                raise PostingError(f"SageNullFieldException: The property '{label}' is required.")
            continue
        _check_value(rule, value, label)


def _check_value(rule: dict[str, Any], value: Any, label: str) -> None:
    kind = rule["type"]
    if kind == "string":
        if not isinstance(value, str):
            raise PostingError(f"The property '{label}' must be a text.")
        if len(value) > rule.get("max", len(value)):
            raise PostingError(f"The property '{label}' exceeds its maximum length of {rule['max']}.")
    elif kind == "date":
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise PostingError(f"The property '{label}' is not a valid date and time (YYYY-MM-DDT00:00:00Z).")
        try:
            milliseconds(value)
        except ValueError:
            raise PostingError(f"The property '{label}' is not a valid date and time.") from None
    elif kind == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            raise PostingError(f"The property '{label}' must be a whole number.")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise PostingError(f"The property '{label}' must be a number.")
        places = rule.get("places", 6)
        if Decimal(value) != round(Decimal(value), places):
            raise PostingError(f"The property '{label}' has more than {places} decimal places.")
    elif kind == "boolean":
        if not isinstance(value, bool):
            raise PostingError(f"The property '{label}' must be true or false.")
    elif kind == "array":
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise PostingError(f"The property '{label}' must be a list of objects.")
        for position, item in enumerate(value):
            _check_fields(rule["items"], item, f"{label}[{position}].")
    elif kind == "object" and "fields" in rule:
        if not isinstance(value, dict):
            raise PostingError(f"The property '{label}' must be an object.")
        _check_fields(rule["fields"], value, f"{label}.")


def money(body: dict[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    value = body.get(name)
    if value is None:
        if default is None:
            raise PostingError(f"SageNullFieldException: The property '{name}' is required.")
        return default
    return Decimal(value).quantize(ZERO)


def positive(body: dict[str, Any], name: str) -> Decimal:
    value = money(body, name)
    if value <= 0:
        raise PostingError(f"The value of '{name}' must be greater than zero.")
    return value


def not_negative(value: Decimal, label: str) -> Decimal:
    if value < 0:
        raise PostingError(f"The value of '{label}' must not be negative.")
    return value
