"""What a perfect reconciliation must find, and what it must not.

Collected while the world is made; written out by `document`. Amounts are pence inside, pounds outside.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.world import settlement_led
from sandbox.world.bank import receipt_id
from sandbox.world.business import Business
from sandbox.world.causes import root_cause
from sandbox.world.model import BankEntry, Cycle, Item, Setting
from sandbox.world.money import pounds
from sandbox.world.settlement import roles
from sandbox.world.stock import Stock

NATURAL = "NATURAL"
"""`fault` of an exception that is ordinary life, not planted."""
NO_MARKETPLACE = "*"


@dataclass(slots=True)
class Truth:
    """What one marketplace holds. The last two lists are about the sellers of an operator, the four before them about
    one seller's own money and stock; all are rows of the document. `settings` is what a fault needs to be configured.
    """

    marketplace_code: str
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    near_misses: list[dict[str, Any]] = field(default_factory=list)
    settlements: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    stock: list[dict[str, Any]] = field(default_factory=list)
    preposted: list[str] = field(default_factory=list)
    seller_balances: list[dict[str, Any]] = field(default_factory=list)
    sellers: list[dict[str, Any]] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)

    def exception(
        self,
        code: str,
        subject_type: str,
        subject_id: str,
        fault: str,
        amount: int | None = None,
        *,
        marketplace_code: str | None = None,
    ) -> None:
        """`marketplace_code` is `NO_MARKETPLACE` for what belongs to none, as a bank statement does."""
        self.exceptions.append(
            {
                "exception_code": code,
                "marketplace_code": marketplace_code or self.marketplace_code,
                "subject_type": subject_type,
                "subject_id": subject_id,
                "fault": fault,
                "root_cause": root_cause(code, fault),
                "amount": None if amount is None else pounds(amount),
            }
        )

    def near_miss(
        self, text: str, not_code: str, subject_type: str, subject_id: str, *, marketplace_code: str | None = None
    ) -> None:
        self.near_misses.append(
            {
                "near_miss": text,
                "not_code": not_code,
                "marketplace_code": marketplace_code or self.marketplace_code,
                "subject_type": subject_type,
                "subject_id": subject_id,
            }
        )

    def tell_money(self, business: Business, cycles: Sequence[Cycle], receipts: Sequence[BankEntry]) -> None:
        """What was settled, which roles that moves, and what arrived for it on the seller's bank account."""
        self.settlements = [
            {
                "marketplace_code": self.marketplace_code,
                "billing_cycle_id": cycle.id,
                "cycle_date": cycle.day.isoformat(),
                "opening": pounds(cycle.opening),
                "net": pounds(cycle.net),
                "payout": pounds(cycle.payout),
                "closing": pounds(cycle.closing),
                "roles": {role: pounds(amount) for role, amount in sorted(_roles(business, cycle, cycles).items())},
            }
            for cycle in cycles
        ]
        self.receipts = [
            {
                "marketplace_code": self.marketplace_code,
                "receipt_id": receipt_id(business.bank_account, entry),
                "value_date": entry.day.isoformat(),
                "amount": pounds(entry.amount),
                "billing_cycle_ids": [cycle.id for cycle in entry.cycles],
            }
            for entry in receipts
        ]

    def tell_stock(self, items: Sequence[Item], stock: Stock) -> None:
        self.stock = [
            {
                "marketplace_code": self.marketplace_code,
                "shop_sku": item.code,
                "expected_quantity": stock.expected(item),
            }
            for item in items
        ]


def _roles(business: Business, cycle: Cycle, cycles: Sequence[Cycle]) -> dict[str, int]:
    return settlement_led.roles(cycle, list(cycles[: cycle.index])) if business.is_settlement_led else roles(cycle)


def document(seed: int, orders: int, as_of: str, truths: Sequence[Truth]) -> dict[str, Any]:
    """The truths of all marketplaces as one document."""
    exceptions = [exception for truth in truths for exception in truth.exceptions]
    near_misses = [near_miss for truth in truths for near_miss in truth.near_misses]
    return {
        "seed": seed,
        "orders": orders,
        "as_of": as_of,
        "exceptions": sorted(exceptions, key=lambda e: (e["exception_code"], e["subject_type"], e["subject_id"])),
        "near_misses": sorted(near_misses, key=lambda n: (n["not_code"], n["subject_id"])),
        "settlements": [row for truth in truths for row in truth.settlements],
        "receipts": [row for truth in truths for row in truth.receipts],
        "stock": [row for truth in truths for row in truth.stock],
        "preposted": [key for truth in truths for key in truth.preposted],
        "seller_balances": [row for truth in truths for row in truth.seller_balances],
        "sellers": [row for truth in truths for row in truth.sellers],
        "settings": [asdict(setting) for truth in truths for setting in truth.settings],
    }
