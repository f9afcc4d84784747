"""Faults at PLAZA that are about a seller's balance: its currency, its lines as they were, its statement."""

from sandbox.world.plaza.faults import Scene, Stage, fault
from sandbox.world.plaza.ledger import SellerLedger
from sandbox.world.plaza.sellers import Role
from sandbox.world.stamps import DAY


def _has_nothing_special(ledger: SellerLedger) -> bool:
    roles = {Role.RECALL, Role.KYC_OPEN, Role.KYC_ONCE, Role.RESERVE, Role.YOUNG_RESERVE, Role.OPERATOR_CARRIAGE}
    return not ledger.seller.roles & roles and len([cycle for cycle in ledger.cycles if cycle.payout]) >= 2


@fault("PAY-008", Stage.PAID, once=True)
def line_in_another_currency(scene: Scene) -> None:
    """A credit in euro stands in a seller's cycle in pounds.

    Near-miss: an informative line in euro, in a later cycle.
    """
    ledger = scene.ledger(_has_nothing_special)
    mixed, clean = [cycle for cycle in ledger.cycles if cycle.payout][:2]
    for cycle, is_informative in ((mixed, False), (clean, True)):
        created = ledger.stamp(cycle.created - 2 * DAY)
        entry = ledger.add("MANUAL_CREDIT", 1_500, created, created)
        entry.currency, entry.cycle, entry.balance, entry.is_informative = "EUR", cycle, 1_500, is_informative
        entry.description = "Compensation agreed in euro"
    ledger.entries.sort(key=lambda each: each.created)
    scene.truth.exception("PAY-008", "CYCLE", mixed.id, "line_in_another_currency", mixed.net)
    scene.truth.near_miss("an informative line in euro", "PAY-008", "CYCLE", clean.id)


@fault("SET-014", Stage.PAID, once=True)
def amount_changed_afterwards(scene: Scene) -> None:
    """A sale's line had another amount when it was read first.

    Near-miss: one that was pending then, and is paid now.
    """
    ledger = scene.ledger(
        lambda x: _has_nothing_special(x) and len([e for e in x.entries if e.type == "ORDER_AMOUNT" and e.cycle]) > 1
    )
    changed, paid = [entry for entry in ledger.entries if entry.type == "ORDER_AMOUNT" and entry.cycle][:2]
    changed.earlier_amount, paid.earlier_amount = changed.amount - 250, paid.amount
    scene.truth.exception("SET-014", "TRANSACTION_LINE", changed.id, "amount_changed_afterwards", 250)
    scene.truth.near_miss("pending, then paid", "SET-014", "TRANSACTION_LINE", paid.id)


@fault("CLR-005", Stage.PAID, once=True)
def statement_above_its_lines(scene: Scene) -> None:
    """The operator's statement of a seller's balance is 33.10 more than the seller's lines add up to.

    Near-miss: a seller some of whose lines were never delivered: the running balance says so.
    """
    ledger = scene.ledger(_has_nothing_special)
    ledger.stated_too_much = 3_310
    scene.truth.exception("CLR-005", "SHOP", str(ledger.seller.shop.id), "statement_above_its_lines", 3_310)
    hidden = next(x for x in scene.ledgers if any(entry.is_hidden for entry in x.entries))
    scene.truth.near_miss("lines were never delivered", "CLR-005", "SHOP", str(hidden.seller.shop.id))
