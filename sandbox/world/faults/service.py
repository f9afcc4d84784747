"""Faults of customer service: conversations that lead nowhere."""

import uuid

from sandbox.world.faults.registry import Phase, fault
from sandbox.world.model import Case
from sandbox.world.scene import Scene
from sandbox.world.stamps import DAY, HOUR


def _case(scene: Scene, kind: str, about: str) -> Case:
    case = Case(
        id=str(uuid.UUID(int=scene.rng.getrandbits(128), version=4)),
        kind=kind,
        about=about,
        created=scene.as_of - 2 * DAY - scene.rng.randrange(DAY),
    )
    scene.cases.append(case)
    return case


@fault("CUS-001", Phase.STOCK)
def case_about_an_order_that_nobody_has(scene: Scene) -> None:
    """A customer waits for an answer about an order that the order feed has never held.

    Near-misses: a conversation about an offer, which no order belongs to; and one about an order that is in the feed.
    """
    number = f"{scene.business.name}{97_000_000 + scene.rng.randrange(999_999)}-A"
    case = _case(scene, "MMP_ORDER", number)
    scene.truth.exception("CUS-001", "CASE", case.id, "case_about_an_order_that_nobody_has")
    about_an_offer = _case(scene, "MMP_OFFER", str(scene.items[0].offer_id))
    scene.truth.near_miss("about an offer", "CUS-001", "CASE", about_an_offer.id)
    known = next(o for o in reversed(scene.orders) if o.is_in_feed and o.created < scene.as_of - 3 * DAY - HOUR)
    about_an_order = _case(scene, "MMP_ORDER", known.id)
    scene.truth.near_miss("about an order that is there", "CUS-001", "CASE", about_an_order.id)
