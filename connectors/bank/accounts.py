"""Whether a statement is the account's own: by IBAN, or by the domestic number that stands in it."""

from __future__ import annotations

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CURRENCY_SUFFIX = re.compile(r"[A-Z]{3}$")
SHORTEST_NUMBER = 6
"""Characters of a domestic account number, without leading zeros, that are enough to recognise it in an IBAN."""


def normal(account: str) -> str:
    return "".join(account.split()).upper()


def is_same_account(iban: str, stated: str) -> bool:
    """`stated` is what a file calls its account: an IBAN, an IBAN with the currency behind it (`NL…EUR`), or a domestic
    number, alone or behind a bank code and a slash.

    A domestic number matches when it stands in the IBAN behind the check digits; a bank code of digits has to stand
    there too.
    """
    iban, stated = normal(iban), normal(stated)
    if iban in {stated, _CURRENCY_SUFFIX.sub("", stated)}:
        return True
    *before, number = [part.replace("-", "") for part in stated.split("/") if part] or [""]
    if iban in {number, _CURRENCY_SUFFIX.sub("", number), *before}:
        return True
    if _IBAN.fullmatch(number):
        return False
    domestic = _CURRENCY_SUFFIX.sub("", number).lstrip("0")
    banks = [part for part in before if part.isdigit() and part.strip("0")]
    return len(domestic) >= SHORTEST_NUMBER and all(part in iban[4:] for part in (domestic, *banks))
