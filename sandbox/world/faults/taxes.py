"""Faults in the tax on what a marketplace charges."""

from sandbox.world.faults.registry import Phase, fault
from sandbox.world.journals import natural_key, reverse_charge_postings, wire_key
from sandbox.world.scene import Scene

TAXED_CYCLE, UNDECLARED_CYCLE, DECLARED_CYCLE = 6, 0, 2


@fault("TAX-007", Phase.LINES, once=True)
def vat_from_a_supplier_abroad(scene: Scene) -> None:
    """A company abroad puts its own country's 23 % on a service for a business here.

    The service is taxed where the buyer is: the VAT must not be charged, and no return here gives it back. Near-miss: a
    service of the same company without VAT.
    """
    net, tax = 1_250, 288
    document = scene.ledger.manual_document(
        TAXED_CYCLE, 4, "INVOICEABLE_ONE_OFF_DEBIT", net, tax, "Market data, June, with foreign VAT"
    )
    cycles = scene.ledger.cycles
    scene.truth.exception("TAX-007", "CYCLE", cycles[TAXED_CYCLE].id, "vat_from_a_supplier_abroad", -document.tax)
    scene.truth.near_miss("a service from abroad without VAT", "TAX-007", "CYCLE", cycles[UNDECLARED_CYCLE].id)


@fault("TAX-003", Phase.JOURNALS, once=True)
def reverse_charge_forgotten(scene: Scene) -> None:
    """The settlement with a service from abroad was posted, the tax that the buyer owes on it was not.

    Near-miss: the same with the pair of postings, purchase tax against sales tax.
    """
    cycles = scene.ledger.cycles
    forgotten = cycles[UNDECLARED_CYCLE]
    key = wire_key(natural_key(scene.business, "REVERSE_CHARGE", forgotten.id, forgotten.day))
    (pair,) = reverse_charge_postings(scene.business, forgotten)
    scene.books.postings = [posting for posting in scene.books.postings if posting.reference != key]
    scene.truth.exception(
        "TAX-003", "CYCLE", forgotten.id, "reverse_charge_forgotten", sum(min(amount, 0) for _, amount in pair.legs)
    )
    scene.truth.near_miss("reverse charge posted as a pair", "TAX-003", "CYCLE", cycles[DECLARED_CYCLE].id)
