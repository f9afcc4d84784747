"""Puts PLAZA together: sellers, trade, ledgers, faults, records, and the truth about them."""

import random
from dataclasses import dataclass
from datetime import date

from sandbox.world.business import coded
from sandbox.world.mirakl.cycles import documents
from sandbox.world.model import MiraklWorld
from sandbox.world.money import pounds
from sandbox.world.plaza import faults_dispatches, faults_refunds  # noqa: F401, register their faults
from sandbox.world.plaza.catalogue import MARKETPLACE, build_items
from sandbox.world.plaza.faults import Scene, Stage, natural, plant
from sandbox.world.plaza.ledger import RECALL_CYCLE, SellerLedger
from sandbox.world.plaza.render import render
from sandbox.world.plaza.sellers import Role, build_sellers
from sandbox.world.plaza.trade import Trade
from sandbox.world.truth import Truth

LEAST_SELLERS, LEAST_ORDERS = 200, 600


@dataclass(frozen=True, slots=True)
class Plaza:
    world: MiraklWorld
    truth: Truth
    ledgers: list[SellerLedger]


def build_plaza(
    seed: int, orders: int, first_day: date, days: list[date], as_of: int, *, faults: bool, number: int = 0
) -> Plaza:
    """PLAZA beside a first marketplace of `orders` orders: a third as many, at least 600, of at least 200 sellers.

    `days` are the dates of the nine cycles, `first_day` is where trade begins, `as_of` is in milliseconds,
    `number` is the world's (sandbox/world/business.py).
    """
    marketplace = coded(MARKETPLACE, number)
    sellers = build_sellers(_stream(seed, "sellers"), max(LEAST_SELLERS, orders // 25))
    trade = Trade(
        _stream(seed, "trade"),
        sellers,
        build_items(_stream(seed, "items")),
        max(LEAST_ORDERS, orders * 3 // 10),
        first_day,
        as_of,
    )
    placed = trade.build()
    rng = _stream(seed, "ledger")
    ledgers = [SellerLedger(rng, seller, days, 20_001 + seller.number * 20) for seller in sellers]
    truth = Truth(marketplace)
    scene = Scene(_stream(seed, "faults"), as_of, placed, ledgers, truth, trade)
    repeat = 1 if orders < 2_000 else 3
    if faults:
        plant(Stage.TRADE, scene, repeat)
    for seller, order in placed:
        ledgers[seller.number].sell(order)
    if faults:
        plant(Stage.LINES, scene, repeat)
    for ledger in ledgers:
        if Role.RECALL in ledger.seller.roles:
            _recall(rng, ledger)
        ledger.assign()
    if faults:
        plant(Stage.CYCLES, scene, repeat)
    for ledger in ledgers:
        ledger.close()
    if faults:
        plant(Stage.PAID, scene, repeat)
    natural(scene)
    scene.invoices = [x for ledger in ledgers for x in documents(ledger.seller.shop, ledger.cycles, ledger.documents)]
    if faults:
        plant(Stage.DOCUMENTS, scene, repeat)
    truth.seller_balances = [
        {
            "marketplace_code": marketplace,
            "shop_id": str(ledger.seller.shop.id),
            "billing_cycle_id": cycle.id,
            "cycle_date": cycle.day.isoformat(),
            "opening": pounds(cycle.opening),
            "net": pounds(cycle.net),
            "break": pounds(cycle.misstated),
            "payout": pounds(cycle.payout),
            "closing": pounds(cycle.closing + cycle.misstated),
        }
        for ledger in ledgers
        for cycle in ledger.cycles
    ]
    truth.sellers = [
        {
            "marketplace_code": marketplace,
            "shop_id": str(ledger.seller.shop.id),
            "paid": pounds(ledger.paid),
            "payable": pounds(ledger.payable),
            "pending": pounds(ledger.pending),
            "reserve": pounds(ledger.reserve),
        }
        for ledger in ledgers
    ]
    return Plaza(render(placed, ledgers, trade.assortments, scene.invoices, as_of), truth, ledgers)


def _recall(rng: random.Random, ledger: SellerLedger) -> None:
    """Freight and disposal of a recalled product line cost more than the cycle earned: it ends negative."""
    earned = max(0, ledger.due_in(ledger.cycles[RECALL_CYCLE]))
    cost = earned + rng.randrange(2_000, 6_000)
    ledger.manual_document(RECALL_CYCLE, "MANUAL_INVOICE", cost, cost // 5, "Recall of a product line")


def _stream(seed: int, part: str) -> random.Random:
    return random.Random(f"{seed}:{MARKETPLACE}:{part}")
