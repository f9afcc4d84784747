"""Faults of level d: the operator's documents."""

from dataclasses import replace

from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Entry, ManualDocument
from sandbox.world.scene import Scene
from sandbox.world.settlement import new_id
from sandbox.world.stamps import DAY, HOUR, at


@fault("INV-005", Phase.LINES, once=True)
def document_that_no_line_bears(scene: Scene) -> None:
    """The operator's invoice for a campaign has no transaction line, so no settlement takes it into the books.

    Near-miss: an invoice of yesterday, whose lines wait for the next cycle.
    """
    ledger = scene.ledger
    campaign = ManualDocument(
        id=new_id(scene.rng),
        type="MANUAL_INVOICE",
        number=790,
        created=at(ledger.cycles[4].day, 14, 20, 31),
        net=15_000,
        tax=3_000,
        description="Campaign of the spring, to be paid by transfer",
    )
    fresh = ManualDocument(
        id=new_id(scene.rng),
        type="MANUAL_INVOICE",
        number=791,
        created=ledger.stamp(scene.as_of - DAY + 3 * HOUR),
        net=2_500,
        tax=500,
        description="Second set of product photographs",
    )
    ledger.documents += [campaign, fresh]
    for type_, amount in (("MANUAL_INVOICE", fresh.net), ("MANUAL_INVOICE_VAT", fresh.tax)):
        entry = Entry(new_id(scene.rng), type_, -amount, fresh.created, fresh.created)
        entry.document, entry.description = fresh, fresh.description
        ledger.add(entry)
    scene.truth.exception(
        "INV-005", "DOCUMENT", campaign.id, "document_that_no_line_bears", -campaign.net - campaign.tax
    )
    scene.truth.near_miss("its lines wait for the next cycle", "INV-005", "DOCUMENT", fresh.id)


@fault("INV-007", Phase.CYCLES, once=True)
def document_for_another_company(scene: Scene) -> None:
    """A credit note is made out to the seller's sister company, with its VAT number: its VAT is not the seller's.

    Near-miss: a document that writes the seller's own number with blanks.
    """
    shop, ledger = scene.business.shop, scene.ledger
    assert shop.tax_number is not None
    document, cycle = ledger.documents[0], ledger.cycles[0]
    document.billed_to = replace(shop, corporate_name=f"{shop.name} Exports Ltd", tax_number="GB555666777")
    country, digits = shop.tax_number[:2], shop.tax_number[2:]
    cycle.billed_to = replace(shop, tax_number=f"{country} {digits[:3]} {digits[3:7]} {digits[7:]}")
    scene.truth.exception("INV-007", "DOCUMENT", document.id, "document_for_another_company", -document.tax)
    scene.truth.near_miss("its own number with blanks", "INV-007", "DOCUMENT", cycle.invoice_id)
