"""Masks for text that people or vendors wrote freely: addresses and telephone numbers are nobody's business here."""

from __future__ import annotations

import re

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TELEPHONE = re.compile(r"(?<![\w-])\+\d[\d ()/-]{7,}\d")
MASK = "•••"


def masked(text: object) -> str:
    """The text with mail addresses and international telephone numbers covered."""
    return _TELEPHONE.sub(MASK, _MAIL.sub(f"{MASK}@{MASK}", str(text)))


def is_masked(text: object) -> bool:
    """Whether there is something to cover."""
    return masked(text) != str(text)
