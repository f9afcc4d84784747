"""Faults of level c: cycles and pay-outs."""

from sandbox.world.faults.registry import Phase, fault
from sandbox.world.faults.victims import plain
from sandbox.world.model import Entry
from sandbox.world.scene import Scene
from sandbox.world.settlement import new_id
from sandbox.world.stamps import DAY

MIXED = 6
"""Position (from 0) of the cycle that holds a line in another currency."""


@fault("PAY-002", Phase.CYCLES)
def paid_line_without_its_cycle(scene: Scene) -> None:
    """A line is PAID but names no cycle. It is a nil shipping line, so that the cycle's sum does not depend on it.

    Near-miss: a line without a cycle that is PAYABLE, because it was received after the newest cycle.
    """
    order = scene.order(lambda o: plain(scene, o) and o.lines[0].shipping == 0)
    entry = scene.ledger.entry_of(order.lines[0], "ORDER_SHIPPING_AMOUNT")
    if entry.cycle is None or entry.amount:
        raise AssertionError(f"{order.id} was picked because its free shipping has been settled")
    entry.shows_cycle = False
    scene.truth.exception("PAY-002", "TRANSACTION_LINE", entry.id, "paid_line_without_its_cycle", 0)
    waiting = [e for e in scene.ledger.entries if e.payable is not None and e.cycle is None and not e.is_held]
    if waiting:
        scene.near_miss_once("payable, waiting for the next cycle", "PAY-002", "TRANSACTION_LINE", waiting[0].id)


@fault("PAY-008", Phase.CYCLES, once=True)
def line_in_another_currency(scene: Scene) -> None:
    """A credit in euro stands in a cycle in pounds. It is no part of the cycle's sum, and the cycle cannot be booked.

    Its running balance is the one in euro, which begins with it. Near-miss: an informative line in euro, which counts
    nowhere.
    """
    ledger, seventh, eighth = scene.ledger, scene.ledger.cycles[MIXED], scene.ledger.cycles[MIXED + 1]
    for cycle, is_informative in ((seventh, False), (eighth, True)):
        created = ledger.stamp(cycle.created - 2 * DAY)
        entry = Entry(new_id(scene.rng), "MANUAL_CREDIT", 4_000, created, created)
        entry.currency, entry.cycle, entry.balance, entry.is_informative = "EUR", cycle, 4_000, is_informative
        entry.description = "Compensation agreed in euro"
        ledger.add(entry)
    ledger.entries.sort(key=lambda each: each.created)
    scene.truth.exception("PAY-008", "CYCLE", seventh.id, "line_in_another_currency", seventh.net)
    scene.truth.near_miss("an informative line in euro", "PAY-008", "CYCLE", eighth.id)


@fault("PAY-009", Phase.CYCLES, once=True)
def lines_that_the_feed_skipped(scene: Scene) -> None:
    """Two lines of the newest cycle are never delivered: the running balance jumps by exactly what the cycle lacks.

    They belong to no order, so no order misses them. Near-miss: a cycle in which many lines share one stamp, so that
    neighbours do not chain but batches do.
    """
    newest = scene.ledger.cycles[-1]
    document = next(d for d in scene.ledger.documents if d.cycle is newest and d.type == "MANUAL_CREDIT")
    missing = 0
    for entry in newest.entries:
        if entry.document is document:
            entry.is_hidden = True
            missing -= entry.amount
    scene.truth.exception("PAY-009", "CYCLE", newest.id, "lines_that_the_feed_skipped", missing)
    scene.truth.near_miss("lines of one batch share a stamp", "PAY-009", "CYCLE", scene.ledger.cycles[1].id)
    scene.truth.near_miss("the gap is explained by missing lines", "PAY-001", "CYCLE", newest.id)
