"""Faults of level e: receipts at the bank."""

from copy import copy
from datetime import timedelta

from sandbox.world.bank import CSV_OVERLAP_DAYS
from sandbox.world.business import BRICO, HOMELY
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import BankEntry
from sandbox.world.reserve import build_deposit
from sandbox.world.scene import Scene
from sandbox.world.stamps import london_date
from sandbox.world.truth import NO_MARKETPLACE

EUROS_PER_HUNDRED_POUNDS = 117
OVER_PAID = 1_575


@fault("BNK-001", Phase.BANK, once=True, only=HOMELY.marketplace)
def payout_that_never_arrived(scene: Scene) -> None:
    """The fourth pay-out was made weeks ago and has not arrived.

    Near-misses: the first one, which took six days and comes alone here, as the second does; and the newest, which is
    on its way or has come (see `_natural`).
    """
    first, second, _, fourth = scene.ledger.cycles[:4]
    sender = scene.business.end_to_end
    together = scene.receipt_of(first)
    scene.receipts.append(copy(together))
    for entry, cycle in ((together, first), (scene.receipts[-1], second)):
        entry.amount, entry.cycles = cycle.payout, (cycle,)
        entry.remittance, entry.end_to_end = f"PAYOUT {cycle.voucher}", f"{sender}{cycle.voucher}"
    scene.receipts.remove(scene.receipt_of(fourth))
    scene.lost.add(fourth.id)
    scene.truth.exception("BNK-001", "PAYOUT", fourth.id, "payout_that_never_arrived", -fourth.payout)
    scene.truth.near_miss("took six days", "BNK-001", "PAYOUT", first.id)


@fault("BNK-003", Phase.BANK, once=True, only=BRICO.marketplace)
def receipt_short_beyond_any_fee(scene: Scene) -> None:
    """The receipt names the voucher and is 42.17 short: more than a bank keeps.

    Near-miss: a receipt that is short by exactly the cap of the fee pattern, 10.00; that is a fee (BNK-002).
    """
    fourth, sixth = scene.ledger.cycles[3], scene.ledger.cycles[5]
    scene.receipt_of(fourth).amount -= 4_217
    scene.truth.exception("BNK-003", "PAYOUT", fourth.id, "receipt_short_beyond_any_fee", -4_217)
    scene.receipt_of(sixth).amount = sixth.payout - 1_000
    scene.truth.near_miss("short by exactly the fee cap", "BNK-003", "PAYOUT", sixth.id)


@fault("BNK-004", Phase.BANK, once=True, only=BRICO.marketplace)
def second_half_over_paid(scene: Scene) -> None:
    """The second half of the third pay-out names it and is 15.75 too much: the two halves are more than was paid out.

    Near-miss: a receipt that is larger than the first pay-out that it names, because it pays the second as well.
    """
    first, second, third = scene.ledger.cycles[:3]
    half = [entry for entry in scene.receipts if third in entry.cycles][-1]
    half.amount += OVER_PAID
    scene.overpaid.add(third.id)
    scene.truth.exception("BNK-004", "PAYOUT", third.id, "second_half_over_paid", OVER_PAID)
    for cycle in (first, second):
        scene.truth.near_miss("received with another one", "BNK-004", "PAYOUT", cycle.id)


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


@fault("BNK-008", Phase.BANK, once=True, only=HOMELY.marketplace)
def receipt_that_names_another_payout(scene: Scene) -> None:
    """The newest pay-out arrives to the penny, and its text names the voucher of an earlier one.

    Near-miss: a receipt that names the pay-out of which it brings one half.
    """
    sixth, ninth = scene.ledger.cycles[5], scene.ledger.cycles[8]
    entry = next((e for e in scene.receipts if ninth in e.cycles), None) or _from_payer(scene, ninth.payout)
    entry.remittance, entry.end_to_end, entry.cycles = f"PAYOUT {sixth.voucher}", "NOTPROVIDED", ()
    scene.contested.add(ninth.id)
    third = scene.ledger.cycles[2]
    half = next(e for e in scene.receipts if third in e.cycles)

    def tell() -> None:
        scene.truth.exception(
            "BNK-008", "RECEIPT", scene.receipt_id(entry), "receipt_that_names_another_payout", entry.amount
        )
        scene.truth.near_miss("names the one that it pays in part", "BNK-008", "RECEIPT", scene.receipt_id(half))

    scene.later(tell)


@fault("BNK-009", Phase.BANK, once=True, only=HOMELY.marketplace)
def receipt_exchanged_at_a_bad_rate(scene: Scene) -> None:
    """A pay-out in pounds was sent in euro and exchanged back, and six per cent of it are gone.

    Near-miss: another one that came the same way and lost one per cent, which is an exchange difference.
    """
    fair, bad = scene.receipt_of(scene.ledger.cycles[1]), scene.receipt_of(scene.ledger.cycles[5])
    for entry, percent in ((fair, 99), (bad, 94)):
        (cycle,) = entry.cycles
        entry.sent = (cycle.payout * EUROS_PER_HUNDRED_POUNDS // 100, "EUR")
        entry.amount = cycle.payout * percent // 100
    scene.contested |= {cycle.id for cycle in bad.cycles}
    bad.cycles = ()

    def tell() -> None:
        scene.truth.exception(
            "BNK-009", "RECEIPT", scene.receipt_id(bad), "receipt_exchanged_at_a_bad_rate", bad.amount
        )
        scene.truth.near_miss("one per cent off", "BNK-009", "RECEIPT", scene.receipt_id(fair))

    scene.later(tell)


@fault("BNK-011", Phase.BANK, once=True, only=HOMELY.marketplace)
def two_receipts_for_one_payout(scene: Scene) -> None:
    """A pay-out's amount comes twice within the window, on two days, neither of them with a reference.

    Near-miss: two receipts in the window of one pay-out that say of themselves which half they are.
    """
    eighth, third = scene.ledger.cycles[7], scene.ledger.cycles[2]
    first = scene.receipt_of(eighth)
    second = copy(first)
    second.day -= timedelta(days=2)
    second.remittance = "MARKETPLACE SETTLEMENT, SENT AGAIN"
    scene.receipts.append(second)
    half = next(e for e in scene.receipts if third in e.cycles)
    first.cycles = second.cycles = ()
    scene.contested.add(eighth.id)

    def tell() -> None:
        for entry in (first, second):
            scene.truth.exception(
                "BNK-011", "RECEIPT", scene.receipt_id(entry), "two_receipts_for_one_payout", entry.amount
            )
        scene.truth.near_miss("says which half it is", "BNK-011", "RECEIPT", scene.receipt_id(half))

    scene.later(tell)


@fault("BNK-012", Phase.BANK, once=True, only=BRICO.marketplace)
def marketplace_money_on_the_reserve_account(scene: Scene) -> None:
    """The marketplace's payer sends money to an account that nobody has agreed with it.

    Near-miss: a trade customer who pays to that account.
    """
    reserve, look_alike = scene.reserve, scene.business.look_alike
    assert reserve is not None
    day = scene.ledger.cycles[6].day + timedelta(days=3)
    stray = reserve.entry(day, 41_915, scene.business.payer, "ADJUSTMENT")
    other = reserve.entry(day, 8_840, look_alike.name, "INV 48817")

    def tell() -> None:
        scene.truth.exception(
            "BNK-012",
            "RECEIPT",
            reserve.subject(stray),
            "marketplace_money_on_the_reserve_account",
            stray.amount,
        )
        scene.truth.near_miss("a trade customer's", "BNK-012", "RECEIPT", reserve.subject(other))

    scene.later(tell)


@fault("DAT-002", Phase.BANK, once=True, only=BRICO.marketplace)
def statement_that_never_came(scene: Scene) -> None:
    """A half month of the reserve account is missing: the next statement opens with another balance.

    Near-miss: the newest days' export, which begins in the middle of the last half month.
    """
    reserve = scene.reserve
    assert reserve is not None
    first, last = reserve.halves[3]
    reserve.left_out = first

    def tell() -> None:
        missing = sum(entry.amount for entry in reserve.within(first, last))
        scene.truth.exception(
            "DAT-002",
            "STATEMENT",
            reserve.statement_of(4),
            "statement_that_never_came",
            missing,
            marketplace_code=NO_MARKETPLACE,
        )
        scene.truth.near_miss(
            "overlaps the one before it",
            "DAT-002",
            "STATEMENT",
            reserve.newest_statement,
            marketplace_code=NO_MARKETPLACE,
        )

    scene.later(tell)


@fault("DAT-003", Phase.BANK, once=True, only=BRICO.marketplace)
def reference_that_the_bank_used_again(scene: Scene) -> None:
    """The bank gives an entry the reference that another one had two months before: one takes the other's place.

    Near-miss: an entry that stands in two files under its one reference.
    """
    reserve = scene.reserve
    assert reserve is not None
    reserve.entries.sort(key=lambda entry: entry.day)
    first, again = reserve.entries[0], reserve.within(*reserve.halves[4])[0]
    first.reference = again.reference = f"RS{first.day:%y%m%d}0000"
    newest = reserve.within(reserve.newest, reserve.newest)[0]

    def tell() -> None:
        scene.truth.exception(
            "DAT-003",
            "BANK_ENTRY",
            reserve.subject(again),
            "reference_that_the_bank_used_again",
            again.amount,
            marketplace_code=NO_MARKETPLACE,
        )
        scene.truth.near_miss(
            "stands in two files", "DAT-003", "BANK_ENTRY", reserve.subject(newest), marketplace_code=NO_MARKETPLACE
        )

    scene.later(tell)


@fault("DAT-001", Phase.BANK, once=True, only=BRICO.marketplace)
def bank_that_stopped_writing(scene: Scene) -> None:
    """The bank last wrote on the deposit account forty days ago: its folder is read, nothing new is there.

    Near-miss: the account whose newest export ends today.
    """
    reserve, deposit = scene.reserve, scene.deposit
    assert reserve is not None
    assert deposit is not None
    scene.deposit = build_deposit(scene.business, deposit.start, deposit.end - timedelta(days=40))
    scene.truth.exception(
        "DAT-001",
        "FEED",
        f"{deposit.account}-statements",
        "bank_that_stopped_writing",
        marketplace_code=NO_MARKETPLACE,
    )
    scene.truth.near_miss(
        "its newest export ends today",
        "DAT-001",
        "FEED",
        f"{reserve.account}-statements",
        marketplace_code=NO_MARKETPLACE,
    )


def _from_payer(scene: Scene, amount: int) -> BankEntry:
    """A receipt of today that says nothing."""
    entry = BankEntry(
        day=london_date(scene.as_of),
        amount=amount,
        name=scene.business.payer,
        remittance="",
        end_to_end="NOTPROVIDED",
        code="TRF",
        account=scene.business.payer_account,
        is_from_marketplace=True,
    )
    scene.receipts.append(entry)
    return entry
