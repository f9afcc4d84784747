"""Faults of level f that keep a journal out of the books: no account, a shut month, nobody who approves."""

from sandbox.world.bank import receipt_id
from sandbox.world.business import BRICO, HOMELY
from sandbox.world.faults.payouts import MIXED
from sandbox.world.faults.registry import Phase, fault
from sandbox.world.journals import EARLIER_CYCLES, natural_key, total_debit
from sandbox.world.model import Cycle
from sandbox.world.scene import Scene
from sandbox.world.settlement import UNMAPPED, role_of
from sandbox.world.stamps import london_date


def _settlement(scene: Scene, cycle: Cycle) -> str:
    return natural_key(scene.business, "SETTLEMENT", cycle.id, cycle.day)


def _receipt(scene: Scene, cycle: Cycle) -> str:
    entry = scene.receipt_of(cycle)
    return natural_key(scene.business, "PAYOUT_RECEIPT", receipt_id(scene.business.bank_account, entry), entry.day)


def _can_be_posted(cycle: Cycle) -> bool:
    """Whether every line is of a mapped type and has been delivered, and the cycle is not the one of PAY-008."""
    return cycle.index != MIXED and all(role_of(entry) != UNMAPPED and not entry.is_hidden for entry in cycle.entries)


@fault("JNL-012", Phase.JOURNALS, once=True, only=BRICO.marketplace)
def bank_charges_mapped_too_late(scene: Scene) -> None:
    """The account for bank charges is mapped from today on, and a receipt less a bank's fee is older than that.

    Near-miss: the receipt of a later pay-out, which no bank has taken a fee from.
    """
    sixth, eighth = scene.ledger.cycles[5], scene.ledger.cycles[7]
    scene.configure(
        "accounts",
        {"effective_from": london_date(scene.as_of).isoformat()},
        where={"entity_code": scene.business.entity, "account_role": "BANK_CHARGES"},
    )
    scene.truth.exception("JNL-012", "JOURNAL", _receipt(scene, sixth), "bank_charges_mapped_too_late", -sixth.payout)
    scene.truth.near_miss("paid in full", "JNL-012", "JOURNAL", _receipt(scene, eighth))


@fault("JNL-010", Phase.JOURNALS, once=True, only=HOMELY.marketplace, model="ORDER_LED")
def month_shut_too_early(scene: Scene) -> None:
    """A month was shut before the last settlement in it had been posted.

    Only NetSuite tells. Near-misses: a month that is shut for purchases alone; a month that is shut and whole.
    """
    waiting = scene.ledger.cycles[EARLIER_CYCLES:]
    months = [f"{cycle.day:%Y-%m}" for cycle in waiting]
    received = {
        f"{entry.day:%Y-%m}"
        for entry in scene.receipts
        if not set(entry.cycles) <= set(scene.ledger.cycles[:EARLIER_CYCLES])
    }
    late = next((c for c, m in zip(waiting, months, strict=True) if months.count(m) == 1 and m not in received), None)
    if late is None:
        return
    scene.books.shut_months.add(f"{late.day:%Y-%m}")
    scene.truth.exception("JNL-010", "JOURNAL", _settlement(scene, late), "month_shut_too_early", -total_debit(late))
    earlier = [c for c in scene.ledger.cycles[:EARLIER_CYCLES] if f"{c.day:%Y-%m}" == f"{late.day:%Y-%m}"]
    if earlier:
        scene.truth.near_miss("posted before it was shut", "JNL-010", "JOURNAL", _settlement(scene, earlier[0]))
    open_for_us = next((c for c in waiting if c is not late and _can_be_posted(c)), None)
    if open_for_us is None:
        return
    scene.books.months_shut_for_purchases.add(f"{open_for_us.day:%Y-%m}")
    scene.truth.near_miss("shut for purchases alone", "JNL-010", "JOURNAL", _settlement(scene, open_for_us))


@fault("JNL-008", Phase.JOURNALS, once=True, only=HOMELY.marketplace, model="ORDER_LED")
def nobody_approves(scene: Scene) -> None:
    """The greatest settlement is above the limit of automatic approval, and nobody has approved it in the time agreed.

    Near-miss: the next greatest, which is within the limit.
    """
    waiting = [
        cycle
        for cycle in scene.ledger.cycles[EARLIER_CYCLES:]
        if _can_be_posted(cycle) and f"{cycle.day:%Y-%m}" not in scene.books.shut_months
    ]
    *others, greatest = sorted(waiting, key=total_debit)
    limit = total_debit(greatest) - 1
    market = scene.business.marketplace
    scene.configure(
        "approval_policies",
        {
            "kind": "JOURNAL",
            "marketplace_code": market,
            "mode": "AUTO",
            "maximum_amount": f"{limit / 100:.2f}",
            "currency_code": "GBP",
        },
    )
    scene.configure("marketplaces", {"approval_days": "0"}, where={"marketplace_code": market})
    scene.truth.exception("JNL-008", "JOURNAL", _settlement(scene, greatest), "nobody_approves", -total_debit(greatest))
    if others:
        scene.truth.near_miss("within the limit", "JNL-008", "JOURNAL", _settlement(scene, others[-1]))
    else:
        # A shut month can leave only one to post.
        posted = _settlement(scene, scene.ledger.cycles[0])
        scene.truth.near_miss("posted before the limit was set", "JNL-008", "JOURNAL", posted)
