"""Faults of a seller who trades in a foreign currency: rates that journals cannot be translated with, and a bad one of
the bank.
"""

from datetime import timedelta
from decimal import Decimal

from sandbox.world.currencies import FOREIGN, Rates, exchanged, inverse, treasurer
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Cycle
from sandbox.world.scene import Scene


def _rates(scene: Scene) -> Rates:
    if scene.rates is None:
        raise LookupError("a seller without a foreign currency has no rates")
    return scene.rates


def _rate_id(scene: Scene, cycle: Cycle, weeks_before: int = 0) -> str:
    monday = _rates(scene).week_of(cycle.day) - timedelta(weeks=weeks_before)
    return f"{scene.business.entity}|{FOREIGN}|{treasurer(scene.business)}|{monday}"


def _bend(scene: Scene, cycle: Cycle, factor: Decimal) -> None:
    """Makes the rate of a cycle's week another one."""
    rates = _rates(scene)
    monday = rates.week_of(cycle.day)
    rates.noted[monday] = (rates.noted[monday] * factor).quantize(Decimal("0.000001"))


@fault("FX-001", Phase.CYCLES, once=True, only=FOREIGN)
def rate_the_wrong_way_round(scene: Scene) -> None:
    """The treasurer noted pounds in euro instead of euro in pounds: every amount of that week is a third too high.

    Near-miss: the rate of another week is one per cent off, as an average of the week before may be.
    """
    rates = _rates(scene)
    second, first = scene.ledger.cycles[1], scene.ledger.cycles[0]
    monday = rates.week_of(second.day)
    rates.noted[monday] = inverse(rates.noted[monday])
    _bend(scene, first, Decimal("1.01"))
    scene.truth.exception("FX-001", "EXCHANGE_RATE", _rate_id(scene, second), "rate_the_wrong_way_round")
    scene.truth.near_miss("one per cent off", "FX-001", "EXCHANGE_RATE", _rate_id(scene, first))


@fault("FX-001", Phase.CYCLES, once=True, only=FOREIGN)
def rate_that_is_off(scene: Scene) -> None:
    """The rate of a week is four per cent above the market's: two figures changed places.

    Near-miss: the rate of the next cycle's week, as it should be.
    """
    fourth, fifth = scene.ledger.cycles[3], scene.ledger.cycles[4]
    _bend(scene, fourth, Decimal("1.04"))
    scene.truth.exception("FX-001", "EXCHANGE_RATE", _rate_id(scene, fourth), "rate_that_is_off")
    scene.truth.near_miss("as it should be", "FX-001", "EXCHANGE_RATE", _rate_id(scene, fifth))


@fault("FX-001", Phase.CYCLES, once=True, only=FOREIGN)
def rate_that_nobody_noted(scene: Scene) -> None:
    """The treasurer was away and two weeks have no rate: the one before them is too old for the cycle of the second.

    Near-miss: the rate of another cycle's week, some days old when the cycle or its receipt needs it.
    """
    rates = _rates(scene)
    eighth, ninth = scene.ledger.cycles[7], scene.ledger.cycles[8]
    for weeks in (0, 1):
        rates.noted.pop(rates.week_of(eighth.day) - timedelta(weeks=weeks), None)
    subject = _rate_id(scene, eighth, weeks_before=2)
    scene.truth.exception("FX-001", "EXCHANGE_RATE", subject, "rate_that_nobody_noted")
    scene.truth.near_miss("some days old", "FX-001", "EXCHANGE_RATE", _rate_id(scene, ninth))


@fault("BNK-009", Phase.BANK, once=True, only=FOREIGN)
def payout_exchanged_at_a_bad_rate(scene: Scene) -> None:
    """The bank gave six per cent less than the market for a pay-out in euro.

    Near-miss: another pay-out, of which it kept one and a half per cent.
    """
    rates = _rates(scene)
    bad, dear = scene.receipt_of(scene.ledger.cycles[2]), scene.receipt_of(scene.ledger.cycles[3])
    for entry, kept in ((bad, Decimal("0.94")), (dear, Decimal("0.985"))):
        (cycle,) = entry.cycles
        entry.amount = exchanged(cycle.payout, rates.of(entry.day), kept)
    scene.contested |= {cycle.id for cycle in bad.cycles}
    bad.cycles = ()

    def tell() -> None:
        subject = scene.receipt_id(bad)
        scene.truth.exception("BNK-009", "RECEIPT", subject, "payout_exchanged_at_a_bad_rate", bad.amount)
        scene.truth.near_miss("the bank kept 1.5 per cent", "BNK-009", "RECEIPT", scene.receipt_id(dear))

    scene.later(tell)
