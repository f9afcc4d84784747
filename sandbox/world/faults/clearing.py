"""Faults of level g, most of them older than the pipeline: what was open, or wrong, when it took over."""

from datetime import timedelta

from sandbox.world.business import BRICO, HOMELY
from sandbox.world.erp import CLEARING
from sandbox.world.faults.journals import manual_journal
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.scene import Scene
from sandbox.world.stamps import london_date

SUSPENSE, RESERVES = "9998", "1106"


def _open_item(scene: Scene, reference: str, amount: int) -> None:
    """Something on the clearing account that is no balance of the marketplace; the opening balances know of it."""
    scene.configure(
        "opening_balances",
        {
            "entity_code": scene.business.entity,
            "marketplace_code": scene.business.marketplace,
            "currency_code": "GBP",
            "account_role": "MARKETPLACE_CLEARING",
            "reference": reference,
            "item_kind": "OPEN_ITEM",
            "amount": f"{amount / 100:.2f}",
            "as_of_date": scene.before.isoformat(),
        },
    )
    legs = [(CLEARING, amount), (SUSPENSE, -amount)]
    scene.books.postings.append(manual_journal(scene.before, "OB000001", f"Brought forward: {reference}", legs))


@fault("CLR-001", Phase.JOURNALS, once=True)
def opening_that_the_books_do_not_have(scene: Scene) -> None:
    """Somebody posted to the clearing account before go-live, after the opening balances had been agreed.

    From the first month on the ledger differs from the roll-forward by it; that is one finding, not one per month.
    Near-miss: an entry on the reserve account of that day, and its correction.
    """
    late = manual_journal(scene.before, "NJ000301", "Late correction of March", [(CLEARING, 8_840), (SUSPENSE, -8_840)])
    slip, corrected = (
        manual_journal(day, reference, "Reserve of March", [(RESERVES, amount), (SUSPENSE, -amount)])
        for day, reference, amount in (
            (scene.before - timedelta(days=1), "NJ000302", 5_000),
            (scene.before, "NJ000303", -5_000),
        )
    )
    scene.books.postings += [late, slip, corrected]
    first = f"{scene.first_day:%Y-%m}"
    scene.truth.exception(
        "CLR-001",
        "ACCOUNT_PERIOD",
        f"MARKETPLACE_CLEARING|GBP|{first}",
        "opening_that_the_books_do_not_have",
        8_840,
    )
    scene.truth.near_miss(
        "posted and corrected before go-live", "CLR-001", "ACCOUNT_PERIOD", f"MARKETPLACE_RESERVE|GBP|{first}"
    )


@fault("CLR-005", Phase.CYCLES, once=True)
def statement_above_its_lines(scene: Scene) -> None:
    """The marketplace states a balance that is 33.10 more than its lines add up to, those that it held back included.

    Near-miss: an order that is debited and not despatched: the marketplace owes it, the books do not have it yet.
    """
    ledger = scene.ledger
    ledger.stated_too_much = 3_310
    scene.truth.exception(
        "CLR-005", "SHOP", str(scene.business.shop.id), "statement_above_its_lines", ledger.stated_too_much
    )
    waiting = next(order for order in scene.orders if order.debited is not None and order.shipped is None)
    scene.truth.near_miss("debited, not yet despatched", "CLR-005", "ORDER", waiting.id)


@fault("CLR-002", Phase.JOURNALS, once=True, only=BRICO.marketplace)
def pay_out_of_march_still_short(scene: Scene) -> None:
    """A pay-out of the months before go-live came 61.20 short, and the difference was never claimed.

    Near-miss: the newest pay-out, which is on its way.
    """
    _open_item(scene, "PO-000098 short", 6_120)
    scene.truth.exception("CLR-002", "OPEN_ITEM", "PO-000098 short", "pay_out_of_march_still_short", 6_120)
    scene.truth.near_miss("on its way", "CLR-002", "OPEN_ITEM", scene.ledger.cycles[-1].id)


@fault("CLR-004", Phase.JOURNALS, once=True, only=HOMELY.marketplace, model="ORDER_LED")
def paid_too_much_in_march(scene: Scene) -> None:
    """The marketplace had paid 75.00 too much before go-live: clearing is in credit at the end of the first month.

    Not where a cycle is on its way at that month's end: what it owes is more. Near-miss: the month that has just begun,
    in which nothing is reclassified yet.
    """
    if scene.first_day.day == 11:
        return
    _open_item(scene, "PO-000211 over-paid", -7_500)
    role = "MARKETPLACE_CLEARING|GBP"
    first, now = scene.first_day, london_date(scene.as_of)
    scene.truth.exception("CLR-004", "ACCOUNT_PERIOD", f"{role}|{first:%Y-%m}", "paid_too_much_in_march", -7_500)
    scene.truth.near_miss("the month is not over", "CLR-004", "ACCOUNT_PERIOD", f"{role}|{now:%Y-%m}")
