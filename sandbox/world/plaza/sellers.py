"""The sellers of PLAZA: who they are, how they are paid, and what is special about a few of them."""

import random
from dataclasses import dataclass, field
from enum import Enum, auto

from sandbox.world.model import Shop
from sandbox.world.plaza.catalogue import PSP

ANCHORS = 40
"""The first sellers are large enough that every one of them has something in most of the cycles."""

WORKFLOWS = (
    "PAY_ON_ACCEPTANCE",
    "PAY_ON_SHIPMENT",
    "PAY_ON_DELIVERY",
    "PAY_ON_DUE_DATE",
    "NO_CUSTOMER_PAYMENT_CONFIRMATION",
)
_ORDINARY_WORKFLOWS = (*WORKFLOWS, *WORKFLOWS[:1] * 5)
_FIRST = ("Marlow", "Thistle", "Kestrel", "Bramble", "Harbour", "Juniper", "Oakham", "Pebble", "Russet", "Saffron")
_SECOND = ("& Finch", "Lane", "Works", "Corner", "Trading", "House", "Supply", "& Daughters", "Makers", "Direct")
_ABROAD = (
    ("DEU", "Musterstadt", "10115", "GmbH"),
    ("CHN", "Lishicheng", "518000", "Co Ltd"),
    ("USA", "Sampleville", "94000", "LLC"),
    ("FRA", "Exempleville", "75000", "SARL"),
)


class TaxRegime(Enum):
    """What the platform knows of the sales tax, and who pays it to the state."""

    UNKNOWN = auto()
    """Gross prices, no tax in Mirakl: the seller accounts for it by himself."""
    KEPT = auto()
    """Tax on top, paid through to the seller."""
    REMITTED = auto()
    """Tax on top, collected and remitted by the operator (sellers established abroad)."""


class Role(Enum):
    """Something that a few sellers have and others have not."""

    SUBSCRIBER = auto()
    RESERVE = auto()
    """Part of the balance is held back and released weeks later."""
    YOUNG_RESERVE = auto()
    """Part of the balance has been held back lately."""
    OPERATOR_CARRIAGE = auto()
    """The operator buys the carriage and keeps what the customer paid for it."""
    HANDLING_FEE = auto()
    MANUAL_DOCUMENTS = auto()
    KYC_ONCE = auto()
    """One pay-out fails for missing papers and is paid with the next one."""
    KYC_OPEN = auto()
    """The newest pay-outs fail and nothing has paid them yet."""
    RECALL = auto()
    """Everything sold is sent back in one cycle, which ends negative."""


@dataclass(slots=True, eq=False)
class Seller:
    """`weight` is the seller's part of the trade, in arbitrary units."""

    number: int
    shop: Shop
    workflow: str
    regime: TaxRegime
    weight: float
    roles: set[Role] = field(default_factory=set)

    @property
    def is_abroad(self) -> bool:
        return self.regime is TaxRegime.REMITTED

    @property
    def is_anchor(self) -> bool:
        return self.number < ANCHORS


_ANCHOR_ROLES = {
    0: {Role.SUBSCRIBER, Role.MANUAL_DOCUMENTS},
    1: {Role.RESERVE},
    2: {Role.RESERVE, Role.SUBSCRIBER},
    3: {Role.YOUNG_RESERVE},
    4: {Role.OPERATOR_CARRIAGE},
    5: {Role.OPERATOR_CARRIAGE, Role.SUBSCRIBER},
    6: {Role.KYC_ONCE},
    7: {Role.KYC_ONCE},
    8: {Role.KYC_OPEN},
    9: {Role.KYC_OPEN, Role.SUBSCRIBER},
    10: {Role.RECALL},
    11: {Role.RECALL},
    12: {Role.MANUAL_DOCUMENTS},
    13: {Role.MANUAL_DOCUMENTS, Role.HANDLING_FEE},
    14: {Role.HANDLING_FEE, Role.SUBSCRIBER},
    15: {Role.MANUAL_DOCUMENTS},
}


def build_sellers(rng: random.Random, count: int) -> list[Seller]:
    """`count` sellers (at least `ANCHORS`): the anchors first, with the special ones among them."""
    return [_seller(rng, number) for number in range(count)]


def _seller(rng: random.Random, number: int) -> Seller:
    # The anchors alternate, so that every workflow and every regime has several of them in the smallest world.
    if number < ANCHORS:
        workflow = WORKFLOWS[number % len(WORKFLOWS)] if number >= 16 else WORKFLOWS[0]
        regime = (TaxRegime.UNKNOWN, TaxRegime.UNKNOWN, TaxRegime.REMITTED, TaxRegime.KEPT)[number // 5 % 4]
        roles = set(_ANCHOR_ROLES.get(number, ()))
    else:
        workflow = rng.choice(_ORDINARY_WORKFLOWS)
        chance = rng.random()
        regime = TaxRegime.REMITTED if chance < 0.2 else TaxRegime.KEPT if chance < 0.27 else TaxRegime.UNKNOWN
        roles = {Role.HANDLING_FEE} if number % 9 == 4 else set()
    return Seller(number, new_shop(number, regime), workflow, regime, rng.paretovariate(1.3), roles)


def new_shop(number: int, regime: TaxRegime) -> Shop:
    name = f"{_FIRST[number % 10]} {_SECOND[number // 10 % 10]}"
    if number >= 100:
        name = f"{name} {number // 100 + 1}"
    country, city, zip_code, form = "GBR", "Sampleton", "ZZ1 1ZZ", "Ltd"
    if regime is TaxRegime.REMITTED:
        country, city, zip_code, form = _ABROAD[number % len(_ABROAD)]
    model = "DROPSHIP" if number % 61 == 47 else "ONE_CREDITOR" if number % 67 == 53 else "MARKETPLACE"
    # Account numbers are random digits under an invalid check: nobody can be paid by them.
    return Shop(
        id=30_001 + number,
        name=name,
        corporate_name=f"{name} {form}",
        internal_id=f"PLZ-{number + 1:05d}",
        model=model,
        country=country,
        city=city,
        street=f"{number % 90 + 1} Imaginary Row",
        zip_code=zip_code,
        tax_number=f"GB{900_000_000 + number * 37}" if country == "GBR" else None,
        iban=f"{country[:2]}00EXAM{20_000_000_000_000 + number * 7919:014d}",
        bic="EXAMGB22XXX",
        psp=PSP,
    )
