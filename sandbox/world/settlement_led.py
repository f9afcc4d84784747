"""The books of a seller whose settlements book the sales: no invoice, no credit note, no customer account.

A sale is earned on the later of its line's day and its dispatch, commission with it; a refund and every other fee on
the day of its line. What was earned in the month before a cycle of the first two days belongs to that month. What was
settled and is not known to have left waits on the account of unbilled settlements.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.model import Cycle, Entry
from sandbox.world.money import tax_inside
from sandbox.world.settlement import PASSED_THROUGH, TAX_OF_TYPE, TAX_ON_SALES, role_of
from sandbox.world.stamps import london_date

TRADE_ROLES = {
    "ORDER_AMOUNT": "REVENUE_GOODS",
    "ORDER_SHIPPING_AMOUNT": "REVENUE_SHIPPING",
    "REFUND_ORDER_AMOUNT": "SALES_RETURNS",
    "REFUND_ORDER_SHIPPING_AMOUNT": "SHIPPING_REFUNDS",
}
EARLY_DAYS = 2
"""A cycle of the first two days of a month still belongs to the month before."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What a transaction line moves beside clearing, in pence, and the day on which it is posted."""

    day: date
    role: str
    net_debit: int
    is_tax: bool = False


def movements(cycle: Cycle, earlier: list[Cycle]) -> list[Movement]:
    """Everything that the cycle's settlement moves beside clearing. `earlier` are the cycles before it: the VAT of a
    refund depends on what was given back of the same line already.
    """
    given: dict[tuple[str, str], int] = {}
    for entry in (entry for before in earlier for entry in _in_order(before)):
        if entry.type in TRADE_ROLES and entry.line is not None:
            given[entry.line.id, entry.type] = given.get((entry.line.id, entry.type), 0) + entry.amount
    found: list[Movement] = []
    for entry in _in_order(cycle):
        day = _posting_day(cycle, entry)
        if _is_held(entry):
            found.append(Movement(cycle.day, "UNBILLED_SETTLEMENT", -entry.amount))
        elif entry.type in TRADE_ROLES and entry.line is not None:
            before = given.get((entry.line.id, entry.type), 0)
            given[entry.line.id, entry.type] = before + entry.amount
            tax = 0
            if entry.line.tax is None:
                rate = entry.line.vat_rate
                tax = tax_inside(before + entry.amount, rate) - tax_inside(before, rate)
            found.append(Movement(day, TRADE_ROLES[entry.type], tax - entry.amount))
            found.append(Movement(day, "OUTPUT_VAT", -tax, is_tax=True))
        elif entry.type in TAX_ON_SALES and role_of(entry) != PASSED_THROUGH:
            found.append(Movement(day, "OUTPUT_VAT", -entry.amount, is_tax=True))
        else:
            found.append(Movement(day, role_of(entry), -entry.amount, is_tax=entry.type in TAX_OF_TYPE))
    return [movement for movement in found if movement.net_debit]


def roles(cycle: Cycle, earlier: list[Cycle]) -> dict[str, int]:
    """Net debit in pence per account role of all settlement journals of the cycle together; nil movements left out."""
    totals = {"MARKETPLACE_CLEARING": cycle.net}
    for movement in movements(cycle, earlier):
        totals[movement.role] = totals.get(movement.role, 0) + movement.net_debit
    return {role: amount for role, amount in totals.items() if amount}


def _in_order(cycle: Cycle) -> list[Entry]:
    return sorted(cycle.entries, key=lambda entry: (entry.created, entry.id))


def _is_held(entry: Entry) -> bool:
    """Whether nothing is known to have left the warehouse for it."""
    if entry.line is None or entry.order is None:
        return False
    has_left = entry.order.shipped is not None and entry.line.is_live
    return not entry.order.is_in_feed or (entry.refund is None and not has_left)


def _posting_day(cycle: Cycle, entry: Entry) -> date:
    earned = london_date(entry.created)
    if entry.line is not None and entry.refund is None and entry.order is not None and entry.order.shipped is not None:
        earned = max(earned, london_date(entry.order.shipped))
    month = cycle.day.replace(day=1)
    is_early = (cycle.day - month).days < EARLY_DAYS
    return month - timedelta(days=1) if is_early and earned < month else cycle.day
