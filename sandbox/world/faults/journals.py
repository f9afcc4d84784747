"""Faults of level f: journals in the books."""

from copy import copy
from datetime import date, timedelta

from sandbox.world.erp import BANK, CLEARING
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import plain
from sandbox.world.model import Order, Posting
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, HOUR


def _settlement_key(scene: Scene, number: int) -> str:
    cycle = scene.ledger.cycles[number - 1]
    return next(key for key in scene.journals if f"|SETTLEMENT|{cycle.id}|" in key)


def _receipt_keys(scene: Scene, number: int) -> list[str]:
    """Keys of the receipt journals that pay cycle `number`, in order of value date."""
    cycle = scene.ledger.cycles[number - 1]
    ids = [scene.receipt_id(entry) for entry in scene.receipts if cycle in entry.cycles]
    return [key for wanted in ids for key in scene.journals if f"|{wanted}|" in key]


@fault("JNL-002", Phase.JOURNALS, once=True)
def receipt_posted_twice(scene: Scene) -> None:
    """The transfer of the first receipt was posted again a day later, with the same reference.

    Near-miss: a settlement, whose one key stands on several documents where the ERP takes no journals.
    """
    (key,) = _receipt_keys(scene, 1)
    amount = 0
    for part in scene.journals[key]:
        again = copy(part)
        again.at += DAY
        again.repeats = part
        scene.books.postings.append(again)
        amount = next(value for account, value in part.legs if account == BANK)
    scene.truth.exception("JNL-002", "JOURNAL", key, "receipt_posted_twice", amount)
    scene.truth.near_miss("one journal, several documents", "JNL-002", "JOURNAL", _settlement_key(scene, 1))


@fault("JNL-003", Phase.JOURNALS, once=True)
def fee_amount_edited(scene: Scene) -> None:
    """Ten pounds more commission than the settlement has: the document still balances, it is not what was posted.

    Near-miss: a receipt journal whose narrative alone was rewritten.
    """
    key = _settlement_key(scene, 2)
    payment = next(part for part in scene.journals[key] if part.second_reference == "BP")
    payment.legs = [
        (account, amount + (1_000 if account == "6100" else -1_000 if account == CLEARING else 0))
        for account, amount in payment.legs
    ]
    payment.banks = tuple((code, amount - 1_000) for code, amount in payment.banks)
    scene.truth.exception("JNL-003", "JOURNAL", key, "fee_amount_edited", 1_000)
    first, _ = _receipt_keys(scene, 3)
    for part in scene.journals[first]:
        part.narrative = "Marketplace pay-out, first half"
    scene.truth.near_miss("only the narrative was rewritten", "JNL-003", "JOURNAL", first)


@fault("JNL-004", Phase.JOURNALS, once=True)
def manual_entry_on_clearing(scene: Scene) -> None:
    """A manual journal against the clearing account, without a key.

    Near-miss: a manual journal between two accounts that nobody controls.
    """
    cycle = scene.ledger.cycles[3]
    day = cycle.day + timedelta(days=4)
    wrong = manual_journal(
        day, "NJ000481", f"Round off {scene.business.marketplace}", [("9998", 7_500), (CLEARING, -7_500)]
    )
    right = manual_journal(day, "NJ000482", "Reclass placement fee", [("6201", 4_000), ("6140", -4_000)])
    scene.books.postings += [wrong, right]

    def tell() -> None:
        scene.truth.exception("JNL-004", "ERP_POSTING", str(wrong.number), "manual_entry_on_clearing", -7_500)
        scene.truth.near_miss("no controlled account", "JNL-004", "ERP_POSTING", str(right.number))

    scene.later(tell)


def manual_journal(day: date, reference: str, narrative: str, legs: list[tuple[str, int]]) -> Posting:
    """What a bookkeeper keys into the nominal ledger in the evening of `day`; `legs` as in `Posting`."""
    return Posting(
        at=_evening(day),
        day=day,
        kind="JOURNAL",
        reference=reference,
        second_reference="",
        narrative=narrative,
        legs=legs,
        ledger="NOMINAL",
        user="Bookkeeper",
    )


def _evening(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY + 17 * HOUR


@fault("JNL-005", Phase.JOURNALS, once=True, model="ORDER_LED")
def settlement_in_the_month_before(scene: Scene) -> None:
    """The settlement of a cycle was posted on the last day of the month before.

    Near-miss: a receipt journal posted a day after its value date, in the same period.
    """
    key = _settlement_key(scene, 3)
    for part in scene.journals[key]:
        part.day = part.day.replace(day=1) - timedelta(days=1)
    scene.truth.exception("JNL-005", "JOURNAL", key, "settlement_in_the_month_before", scene.ledger.cycles[2].net)
    (key,) = _receipt_keys(scene, 4) or _receipt_keys(scene, 2)
    for part in scene.journals[key]:
        part.day += timedelta(days=1)
        part.at += DAY
    scene.truth.near_miss("a day late, same period", "JNL-005", "JOURNAL", key)


@fault("JNL-007", Phase.JOURNALS, once=True)
def receipt_reversed(scene: Scene) -> None:
    """The transfer of the second half of the third pay-out was reversed three days later, and not posted again.

    Near-miss: a carrier's payment that was reversed; it is no journal of the marketplace.
    """
    _, key = _receipt_keys(scene, 3)
    amount = 0
    for part in scene.journals[key]:
        scene.books.postings.append(_reversal(part))
        amount = next(value for account, value in part.legs if account == BANK)
    scene.truth.exception("JNL-007", "JOURNAL", key, "receipt_reversed", -amount)
    payment = next(p for p in scene.books.postings if p.kind == "BANK_PAYMENT" and not p.journal_key)
    reversal = _reversal(payment)
    scene.books.postings.append(reversal)
    scene.later(lambda: scene.truth.near_miss("a carrier's payment", "JNL-007", "ERP_POSTING", str(reversal.number)))


def _reversal(posting: Posting) -> Posting:
    undone = copy(posting)
    undone.reverses = posting
    undone.at += 3 * DAY
    undone.day += timedelta(days=3)
    undone.narrative = f"Reversal of {posting.narrative}"
    undone.user = "Bookkeeper"
    undone.legs = [(account, -amount) for account, amount in posting.legs]
    undone.banks = tuple((code, -amount) for code, amount in posting.banks)
    return undone


@fault("JNL-009", Phase.JOURNALS, once=True)
def adjustment_booked_as_advertising(scene: Scene) -> None:
    """A settlement's manual invoice went to advertising instead of marketplace adjustments; the amount is right.

    Near-miss: commission and commission given back, netted on their one account.
    """
    key = _settlement_key(scene, 4)
    payment = next(part for part in scene.journals[key] if part.second_reference == "BP")
    amount = next(value for account, value in payment.legs if account == "6140")
    payment.legs = [("6201" if account == "6140" else account, value) for account, value in payment.legs]
    scene.truth.exception("JNL-009", "JOURNAL", key, "adjustment_booked_as_advertising", amount)
    scene.truth.near_miss("netted on one account", "JNL-009", "JOURNAL", _settlement_key(scene, 1))


@fault("JNL-009", Phase.ERP, model="SETTLEMENT_LED")
def invoiced_beside_its_settlement(scene: Scene) -> None:
    """An order of a marketplace whose settlements book the sales was invoiced by the order desk as well.

    The sale is in the books twice, once per posting model. Near-miss: a despatched order that was not invoiced.
    """

    def is_despatched(order: Order) -> bool:
        erp_order = scene.books.by_order.get(order.id)
        return plain(scene, order) and erp_order is not None and erp_order.despatched is not None

    order = scene.order(is_despatched)
    erp_order = scene.books.by_order[order.id]
    erp_order.is_invoiced = True
    gross = sum(line.net + line.tax for line in erp_order.lines)
    scene.truth.exception("JNL-009", "ORDER", order.id, "invoiced_beside_its_settlement", gross)
    scene.truth.near_miss("despatched, not invoiced", "JNL-009", "ORDER", scene.order(is_despatched).id)
