"""Proposes which account stands for each role and which tax code for each tax role, by the names in the ERP's chart.

A proposal is never taken by itself: a person copies the row, a second one agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connectors.charts import ChartAccount, ChartTax

BALANCE_SHEET, PROFIT_AND_LOSS = True, False

ROLES: dict[str, tuple[bool, tuple[str, ...], tuple[str, ...]]] = {
    # role: on the balance sheet; words that name it (several words: all of them); words that speak against it
    "BANK": (BALANCE_SHEET, ("bank current", "current account", "bank"), ("charge", "clearing", "petty")),
    "MARKETPLACE_CLEARING": (BALANCE_SHEET, ("marketplace clearing", "clearing"), ("payroll", "wages", "vat")),
    "AR_MARKETPLACE": (BALANCE_SHEET, ("debtors control", "trade debtors", "receivable", "debtors"), ("other",)),
    "MARKETPLACE_RESERVE": (BALANCE_SHEET, ("marketplace reserve", "reserve withheld"), ("revaluation",)),
    "UNBILLED_SETTLEMENT": (BALANCE_SHEET, ("unbilled", "accrued income"), ()),
    "MARKETPLACE_TAX_PASSTHROUGH": (BALANCE_SHEET, ("tax pass-through", "tax collected"), ()),
    "DUE_TO_MARKETPLACE": (BALANCE_SHEET, ("due to marketplace",), ()),
    "ACCRUED_MARKETPLACE_FEES": (BALANCE_SHEET, ("accrued marketplace fee", "accruals"), ("income",)),
    "REFUND_LIABILITY": (BALANCE_SHEET, ("refund liability", "provision return"), ()),
    "RIGHT_OF_RETURN_ASSET": (BALANCE_SHEET, ("right of return", "returns asset"), ()),
    "OUTPUT_VAT": (BALANCE_SHEET, ("vat sales", "output vat", "sales tax control"), ("pending", "purchase", "input")),
    "INPUT_VAT": (
        BALANCE_SHEET,
        ("vat purchases", "input vat", "purchase tax control"),
        ("pending", "sales", "output"),
    ),
    "INPUT_VAT_PENDING": (BALANCE_SHEET, ("vat purchases pending", "input vat pending"), ()),
    "OUTPUT_VAT_PENDING": (BALANCE_SHEET, ("vat sales pending", "output vat pending"), ()),
    "REVENUE_GOODS": (PROFIT_AND_LOSS, ("marketplace sales", "trade sales", "sales"), ("return", "shipping", "cost")),
    "REVENUE_SHIPPING": (PROFIT_AND_LOSS, ("shipping charged", "carriage charged", "delivery income"), ("refund",)),
    "SALES_RETURNS": (PROFIT_AND_LOSS, ("sales returns", "returns"), ("purchase",)),
    "SHIPPING_REFUNDS": (PROFIT_AND_LOSS, ("shipping refunded", "shipping refund"), ()),
    "OTHER_MARKETPLACE_INCOME": (PROFIT_AND_LOSS, ("other marketplace income", "other income", "sundry income"), ()),
    "COGS": (PROFIT_AND_LOSS, ("cost of sales", "cost of goods", "cogs"), ()),
    "STOCK": (BALANCE_SHEET, ("stock", "inventory"), ("transit", "goods received")),
    "CARRIAGE_OUT": (PROFIT_AND_LOSS, ("carriage out", "carriage outwards", "freight out", "postage"), ("operator",)),
    "CARRIAGE_OPERATOR_PAID": (PROFIT_AND_LOSS, ("carriage operator",), ()),
    "COMMISSION_EXPENSE": (PROFIT_AND_LOSS, ("marketplace commission", "commission"), ("income", "received")),
    "ORDER_FEES_EXPENSE": (PROFIT_AND_LOSS, ("order fees", "marketplace fees"), ("accrued",)),
    "SUBSCRIPTION_EXPENSE": (PROFIT_AND_LOSS, ("subscription",), ()),
    "PENALTY_EXPENSE": (PROFIT_AND_LOSS, ("penalt", "fines"), ()),
    "ADVERTISING_EXPENSE": (PROFIT_AND_LOSS, ("advertising", "marketing"), ()),
    "MARKETPLACE_ADJUSTMENTS": (PROFIT_AND_LOSS, ("marketplace adjustment",), ()),
    "BANK_CHARGES": (PROFIT_AND_LOSS, ("bank charges", "bank fees"), ()),
    "FX_REALISED": (PROFIT_AND_LOSS, ("exchange realised", "currency gain", "exchange difference"), ("unrealised",)),
    "FX_UNREALISED": (PROFIT_AND_LOSS, ("exchange unrealised", "unrealised"), ()),
    "ROUNDING": (PROFIT_AND_LOSS, ("rounding", "write off"), ("bad debt",)),
    "SUSPENSE": (PROFIT_AND_LOSS, ("suspense",), ()),
}
TAXES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    # tax role: rate, or None where any; words that name it
    "STD_SALE": ("20", ("standard",)),
    "STD_PURCH": ("20", ("standard",)),
    "RED_SALE": ("5", ("reduced",)),
    "ZERO": ("0", ("zero",)),
    "EXEMPT": ("0", ("exempt",)),
    "EC_GOODS": ("0", ("ec goods sales", "eu goods", "ec goods")),
    "RC_SERVICES": (None, ("reverse charge",)),
    "PVA": (None, ("postponed", "import vat")),
    "OOS": ("0", ("outside", "not applicable", "out of scope")),
    "MKT_COLLECTED": ("0", ("collected marketplace", "marketplace")),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """`code` is None when nothing fits. `is_sure` when one name alone fits, and fits wholly."""

    role: str
    code: str | None
    name: str
    is_sure: bool
    why: str
    cost_centre: str = ""
    department: str = ""


def propose_accounts(roles: Iterable[str], chart: Sequence[ChartAccount]) -> list[Proposal]:
    """A proposal per role, in the order of `roles`."""
    return [_propose_account(role, chart) for role in roles]


def propose_taxes(roles: Iterable[str], codes: Sequence[ChartTax]) -> list[Proposal]:
    """A proposal per tax role, in the order of `roles`."""
    return [_propose_tax(role, codes) for role in roles]


def _propose_account(role: str, chart: Sequence[ChartAccount]) -> Proposal:
    if role not in ROLES:
        return Proposal(role, None, "", False, "No name is known for this role.")
    on_balance_sheet, wanted, against = ROLES[role]
    fitting: list[tuple[int, ChartAccount, str]] = []
    for account in chart:
        words = _words(account.name)
        if account.is_balance_sheet not in (None, on_balance_sheet) and role != "SUSPENSE":
            continue
        if any(_holds(words, one) for one in against):
            continue
        rank = next((number for number, one in enumerate(wanted) if _holds(words, one)), None)
        if rank is not None:
            fitting.append((rank, account, wanted[rank]))
    if not fitting:
        return Proposal(role, None, "", False, f"No account is called {' or '.join(repr(one) for one in wanted)}.")
    best = min(rank for rank, _, _ in fitting)
    # Of several the shortest name: the others say more than what was looked for.
    equal = sorted((one for one in fitting if one[0] == best), key=lambda one: (len(one[1].name), one[1].code))
    _, account, name = equal[0]
    others = ", ".join(one.code for _, one, _ in equal[1:4])
    why = f"Its name says {name!r}." + (f" So do {others}." if others else "")
    is_sure = best == 0 and len(equal) == 1
    return Proposal(role, account.code, account.name, is_sure, why, account.cost_centre, account.department)


def _propose_tax(role: str, codes: Sequence[ChartTax]) -> Proposal:
    if role not in TAXES:
        return Proposal(role, None, "", False, "No name is known for this role.")
    rate, wanted = TAXES[role]
    fitting = [
        (rank, code)
        for code in codes
        for rank, one in enumerate(wanted)
        if _holds(_words(code.name), one) and (rate is None or _same(code.rate_percent, rate))
    ]
    if not fitting:
        return Proposal(role, None, "", False, f"No code of {rate or 'any'} % is called {' or '.join(wanted)}.")
    best = min(rank for rank, _ in fitting)
    equal = [code for rank, code in fitting if rank == best]
    code = equal[0]
    why = f"Its name says {wanted[best]!r}, its rate is {code.rate_percent} %."
    return Proposal(role, code.code, code.name, best == 0 and len(equal) == 1, why)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z][a-z-]*", text.lower())


def _holds(words: Sequence[str], wanted: str) -> bool:
    """Whether every word of `wanted` begins a word of the name."""
    return all(any(word.startswith(part) for word in words) for part in wanted.split())


def _same(left: str, right: str) -> bool:
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return False
