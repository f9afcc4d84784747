"""What `:86:` of an MT940 entry tells about the other side, in the two structured forms and in free text.

German banks number their subfields (`166?00…?20…?32…`), which the library mt-940 takes apart. Dutch and Belgian ones
name them (`/NAME/…/REMI/…`), which it leaves as text. Everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.decoding import plain_decimal

_NAMES = "TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|CNTP|BENM|ORDP|PURP|ISDT|ADDR|SVCL|KREF|PREF|USTD|STRD|ULTC|ULTD"
_NAMES += "|OCMT|EXCH|CHGS"
_SENT = re.compile(r"([A-Z]{3})(\d{1,15}(?:,\d*)?)/?")
_NAMED = re.compile(rf"/({_NAMES})/(.*?)(?=/(?:{_NAMES})/|$)")


@dataclass(frozen=True, slots=True)
class Details:
    """`account` is the other side's account number, which must not be kept but as a digest."""

    party: str | None = None
    account: str | None = None
    remittance: str | None = None
    end_to_end_id: str | None = None
    code: str | None = None
    sent_amount: str | None = None
    """Unsigned, in `sent_currency`: what was sent where the bank exchanged it."""
    sent_currency: str | None = None


def details_of(data: Mapping[str, Any]) -> Details:
    """From the members that the library gives an entry."""
    text = data.get("transaction_details")
    if text is None:
        return Details(
            _clean(data.get("applicant_name")),
            _clean(data.get("applicant_iban")) or _clean(data.get("gvc_applicant_iban")),
            _joined(data.get("purpose"), data.get("additional_purpose")),
            _clean(data.get("end_to_end_reference")),
            _clean(data.get("transaction_code")),
        )
    # A line of this field ends after 65 characters, in the middle of a word if need be.
    named = dict(_NAMED.findall("".join(str(text).split("\n"))))
    if not named:
        return Details(remittance=_clean(text))
    party, account = _clean(named.get("NAME")), _clean(named.get("IBAN"))
    if named.get("CNTP"):
        # /CNTP/account/bank/name/city/
        parts = [*named["CNTP"].split("/"), "", "", ""]
        account, party = account or _clean(parts[0]), party or _clean(parts[2])
    remittance = re.sub(r"^(USTD|STRD)//", "", named.get("REMI", "")) or _joined(named.get("USTD"), named.get("STRD"))
    sent = _SENT.fullmatch(named.get("OCMT", "").strip())
    return Details(
        party,
        account,
        _clean(remittance),
        _clean(named.get("EREF")),
        _clean(named.get("TRTP")),
        plain_decimal(sent[2].replace(",", ".").rstrip(".")) if sent else None,
        sent[1] if sent else None,
    )


def _clean(text: object) -> str | None:
    return " ".join(str(text).split()).strip("/") or None if text is not None else None


def _joined(*parts: object) -> str | None:
    return " ".join(p for p in map(_clean, parts) if p) or None
