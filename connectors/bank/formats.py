"""Which format a statement file has, by its first characters: names and extensions of bank files say nothing."""

from __future__ import annotations

import re
from typing import Literal

from connectors.bank.camt053 import is_xml

Format = Literal["camt053", "ofx", "mt940", "csv"]

_LOOKED_AT = 4096
_OFX = re.compile(rb"^\s*(OFXHEADER\s*:|<\?OFX\b|<OFX\b|<\?xml[^>]*\?>\s*(<\?OFX\b|<OFX\b))", re.IGNORECASE)
_MT940 = re.compile(rb"(^\s*\{1:|^\s*:20:|[\r\n]:20:|\{4:[\r\n]*:20:)")


def format_of(content: bytes) -> Format:
    """`csv` is what is left over: a CSV file has no mark of its own."""
    start = content[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    if _OFX.match(start):
        return "ofx"
    if is_xml(content):
        return "camt053"
    return "mt940" if _MT940.search(start) else "csv"
