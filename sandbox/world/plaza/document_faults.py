"""Faults of level d at PLAZA that are about whom a document is made out to."""

from sandbox.world.mirakl.cycles import fees_of, totals_of
from sandbox.world.model import Cycle
from sandbox.world.plaza.faults import Scene, Stage, fault


@fault("INV-007", Stage.DOCUMENTS)
def document_with_anothers_number(scene: Scene) -> None:
    """The document to a seller bears another seller's tax number: the wrong company would recover its VAT.

    Near-miss: a document to a seller abroad, who has shown no number and whose document has none.
    """
    numbers = {cycle.invoice_id: x.seller.shop.tax_number for x in scene.ledgers for cycle in x.cycles}

    def is_taxed(cycle: Cycle) -> bool:
        return cycle.payout > 0 and fees_of(totals_of(cycle))[1] > 0 and numbers[cycle.invoice_id] is not None

    cycle, document = scene.auto_invoice(is_taxed)
    document["shop_tax_number"] = next(n for n in numbers.values() if n not in (None, numbers[cycle.invoice_id]))
    tax = fees_of(totals_of(cycle))[1]
    scene.truth.exception("INV-007", "DOCUMENT", document["id"], "document_with_anothers_number", -tax)
    _, unnumbered = scene.auto_invoice(lambda c: c.payout > 0 and numbers[c.invoice_id] is None)
    scene.truth.near_miss("a seller without a number", "INV-007", "DOCUMENT", unnumbered["id"])
