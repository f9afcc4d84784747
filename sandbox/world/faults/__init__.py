"""The planted faults, and beside each the near-miss that must not be reported.

One small function per exception code, a module per level. Its docstring says what is wrong, why that is a fault, and
what the near-miss looks like. A function runs in the phase in which the world can still be bent consistently: a fault
in a transaction line is planted before cycles, pay-outs, documents and bank are computed, so that everything after it
still ties out. No order, item or journal serves two faults.
"""

from sandbox.world.currencies import FOREIGN
from sandbox.world.faults import (
    accruals,
    bank,
    clearing,
    currencies,
    dispatches,
    documents,
    journals,
    offers,
    orders,
    payouts,
    posting,
    refunds,
    sale_taxes,
    service,
    settlement,
    stock,
    taxes,
)
from sandbox.world.faults.registry import REGISTERED, Phase
from sandbox.world.scene import Scene

__all__ = ["FAULTS", "Phase", "plant"]

_ORDER = (
    settlement,
    payouts,
    documents,
    bank,
    orders,
    dispatches,
    journals,
    accruals,
    clearing,
    posting,
    refunds,
    sale_taxes,
    stock,
    offers,
    taxes,
    service,
    currencies,
)
_LEVELS = [level.__name__ for level in _ORDER]
FAULTS = tuple(sorted(REGISTERED, key=lambda fault: _LEVELS.index(fault.plant.__module__)))
"""Every fault, in the order in which those of a phase are planted: it decides who is left for whom."""


def plant(phase: Phase, scene: Scene) -> None:
    """Plants every fault of `phase`, in the order of `FAULTS`; where the currency is foreign, only those of it."""
    for each in FAULTS:
        planted = (FOREIGN,) if scene.business.is_foreign else (None, scene.business.name)
        if each.phase is phase and each.only in planted and each.model in (None, scene.business.posting_model):
            for _ in range(scene.repeat if each.is_repeated else 1):
                each.plant(scene)
