"""Faults of level e: receipts at the bank."""

from copy import copy
from datetime import timedelta

from sandbox.world.bank import CSV_OVERLAP_DAYS
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import BankEntry
from sandbox.world.scene import Scene
from sandbox.world.stamps import london_date


@fault("BNK-003", Phase.BANK, once=True)
def receipt_short_beyond_any_fee(scene: Scene) -> None:
    """The receipt names the voucher and is 42.17 short: more than a bank keeps.

    Near-miss: a receipt that is short by exactly the cap of the fee pattern, 10.00; that is a fee (BNK-002).
    """
    fourth, sixth = scene.ledger.cycles[3], scene.ledger.cycles[5]
    scene.receipt_of(fourth).amount -= 4_217
    scene.truth.exception("BNK-003", "PAYOUT", fourth.id, "receipt_short_beyond_any_fee", -4_217)
    scene.receipt_of(sixth).amount = sixth.payout - 1_000
    scene.truth.near_miss("short by exactly the fee cap", "BNK-003", "PAYOUT", sixth.id)


@fault("BNK-007", Phase.BANK, once=True)
def money_from_the_marketplace_for_no_payout(scene: Scene) -> None:
    """The marketplace's payer sends money and no pay-out is anywhere near.

    Near-miss: money from a customer whose name begins like the payer's.
    """
    day = scene.ledger.cycles[6].day + timedelta(days=5)
    entry = BankEntry(
        day=day,
        amount=26_431,
        name=scene.business.payer,
        remittance="ADJUSTMENT",
        end_to_end="NOTPROVIDED",
        code="TRF",
        is_from_marketplace=True,
    )
    scene.receipts.append(entry)
    look_alike = scene.business.look_alike
    other = BankEntry(
        day=day,
        amount=31_250,
        name=look_alike.name,
        remittance="INV 48812",
        end_to_end=f"{look_alike.reference}48812",
        code="TRF",
        customer=look_alike.reference,
    )
    scene.bank_entries.append(other)

    def tell() -> None:
        scene.truth.exception(
            "BNK-007",
            "RECEIPT",
            scene.receipt_id(entry),
            "money_from_the_marketplace_for_no_payout",
            entry.amount,
        )
        scene.truth.near_miss("another payer", "BNK-007", "RECEIPT", scene.receipt_id(other))

    scene.later(tell)


@fault("BNK-010", Phase.BANK, once=True)
def receipt_twice_in_the_statement(scene: Scene) -> None:
    """The first half of the third pay-out stands twice in one statement, with two bank references.

    Everything else about the two entries is the same, the end-to-end id included; the later reference is the fault.
    Near-miss: an entry that is in the monthly statement and in the newest days' export, under one reference.
    """
    third = scene.ledger.cycles[2]
    original = next(e for e in scene.receipts if third in e.cycles)
    duplicate = copy(original)
    duplicate.cycles = ()
    scene.receipts.append(duplicate)

    def tell() -> None:
        scene.truth.exception(
            "BNK-010",
            "RECEIPT",
            scene.receipt_id(duplicate),
            "receipt_twice_in_the_statement",
            duplicate.amount,
        )
        second_half = next(e for e in scene.genuine_receipts() if third in e.cycles and e is not original)
        scene.truth.near_miss("the other half, a day later", "BNK-010", "RECEIPT", scene.receipt_id(second_half))
        first_of_month = london_date(scene.as_of).replace(day=1)
        for entry in scene.genuine_receipts():
            if first_of_month - timedelta(days=CSV_OVERLAP_DAYS) <= entry.day < first_of_month:
                scene.truth.near_miss("one entry in two files", "BNK-010", "RECEIPT", scene.receipt_id(entry))

    scene.later(tell)
