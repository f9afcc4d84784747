"""JSON with exact decimals, both ways.

Money enters and leaves the sandbox as `decimal.Decimal`; a JSON number is written with the digits the Decimal has
and read without passing through a binary float.
"""

import json
from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_stable_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


def encode(value: Any) -> bytes:
    """`value` as compact JSON, Decimals as numbers with exactly their digits."""
    return _encoder.encode(value)


def encode_stable(value: Any) -> bytes:
    """As `encode`, with object keys sorted at every depth, so that equal values give equal bytes."""
    return _stable_encoder.encode(value)


def decode(text: bytes | str) -> Any:
    """JSON with fractional numbers as Decimal. Raises ValueError on anything else, NaN and Infinity included."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
