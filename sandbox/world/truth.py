"""What a perfect reconciliation must find, and what it must not.

Collected while the world is made; written out by `Truth.document`. Amounts are pence inside, pounds outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.world.bank import receipt_id
from sandbox.world.catalogue import BANK_ACCOUNT, MARKETPLACE
from sandbox.world.model import BankEntry, Cycle, Item
from sandbox.world.money import pounds
from sandbox.world.settlement import roles
from sandbox.world.stock import Stock

NATURAL = "NATURAL"
"""`fault` of an exception that is ordinary life, not planted."""


@dataclass(slots=True)
class Truth:
    """What one marketplace holds; `Truth.document` puts the truths of all of them together."""

    marketplace_code: str = MARKETPLACE
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    near_misses: list[dict[str, Any]] = field(default_factory=list)

    def exception(self, code: str, subject_type: str, subject_id: str, fault: str, amount: int | None = None) -> None:
        self.exceptions.append(
            {
                "exception_code": code,
                "marketplace_code": self.marketplace_code,
                "subject_type": subject_type,
                "subject_id": subject_id,
                "fault": fault,
                "amount": None if amount is None else pounds(amount),
            }
        )

    def near_miss(self, text: str, not_code: str, subject_type: str, subject_id: str) -> None:
        self.near_misses.append(
            {
                "near_miss": text,
                "not_code": not_code,
                "marketplace_code": self.marketplace_code,
                "subject_type": subject_type,
                "subject_id": subject_id,
            }
        )

    def document(
        self,
        seed: int,
        orders: int,
        as_of: str,
        cycles: list[Cycle],
        receipts: list[BankEntry],
        items: list[Item],
        stock: Stock,
        preposted: list[str],
        beside: Sequence["Truth"] = (),
        seller_balances: Sequence[dict[str, Any]] = (),
        sellers: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """The whole document. `beside` are the other marketplaces; the last two describe the sellers of operators."""
        truths = (self, *beside)
        exceptions = [exception for truth in truths for exception in truth.exceptions]
        near_misses = [near_miss for truth in truths for near_miss in truth.near_misses]
        return {
            "seed": seed,
            "orders": orders,
            "as_of": as_of,
            "exceptions": sorted(exceptions, key=lambda e: (e["exception_code"], e["subject_type"], e["subject_id"])),
            "near_misses": sorted(near_misses, key=lambda n: (n["not_code"], n["subject_id"])),
            "settlements": [
                {
                    "billing_cycle_id": cycle.id,
                    "cycle_date": cycle.day.isoformat(),
                    "opening": pounds(cycle.opening),
                    "net": pounds(cycle.net),
                    "payout": pounds(cycle.payout),
                    "closing": pounds(cycle.closing),
                    "roles": {role: pounds(amount) for role, amount in sorted(roles(cycle).items())},
                }
                for cycle in cycles
            ],
            "receipts": [
                {
                    "receipt_id": receipt_id(BANK_ACCOUNT, entry),
                    "value_date": entry.day.isoformat(),
                    "amount": pounds(entry.amount),
                    "billing_cycle_ids": [cycle.id for cycle in entry.cycles],
                }
                for entry in receipts
            ],
            "stock": [{"shop_sku": item.code, "expected_quantity": stock.expected(item)} for item in items],
            "preposted": preposted,
            "seller_balances": list(seller_balances),
            "sellers": list(sellers),
        }
