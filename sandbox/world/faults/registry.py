"""What a fault function is: its code, when it is planted, and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from sandbox.world.scene import Scene


class Phase(Enum):
    """When a fault is planted, in this order."""

    TRADE = auto()
    """Orders exist, nothing has been written about them."""
    LINES = auto()
    """Transaction lines exist, no cycle has been closed."""
    CYCLES = auto()
    """Cycles and pay-outs are computed."""
    BANK = auto()
    """Receipts exist, statements are not written."""
    ERP = auto()
    """The books hold their orders, nothing has been invoiced."""
    JOURNALS = auto()
    """The earlier journals are ready to be posted."""
    STOCK = auto()
    """Stock is counted, offers are not written."""


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    phase: Phase
    plant: Callable[[Scene], None]
    is_repeated: bool
    only: str | None
    """The one marketplace that it is planted at, or the one currency; None for every seller in pounds."""
    model: str | None
    """The one posting model under which it can be planted; None for both."""

    @property
    def name(self) -> str:
        return self.plant.__name__


REGISTERED: list[Fault] = []


def fault(
    code: str, phase: Phase, *, once: bool = False, only: str | None = None, model: str | None = None
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Registers a function that plants `code`. Unless `once`, a large world gets several.

    A pay-out serves one fault, and a seller has few: what needs one of its own is planted at one marketplace (`only`).
    `model` is ORDER_LED where the fault is in an invoice, a credit note or a customer account.
    """

    def register(plant: Callable[[Scene], None]) -> Callable[[Scene], None]:
        REGISTERED.append(Fault(code, phase, plant, not once, only, model))
        return plant

    return register
