"""What is sold: items, categories and commission contracts, the same at every seller."""

import random
from datetime import date

from sandbox.world.model import Contract, Item

CURRENCY = "GBP"

SALE_WAREHOUSES = ("MAIN", "NORTH")
WAREHOUSES = ("MAIN", "NORTH", "RETURNS")
BUFFER = 2
MAXIMUM_QUANTITY = 999
COMMISSION_VAT = 2000
SUBSCRIPTION = 3900
LATE_PENALTY = 500
TAX_CODES = {2000: 1, 500: 21, 0: 2}
"""VAT rate in basis points to the ERP's tax code. Sage ships 5 as EC services: the reduced rate has its own."""
ZERO, COLLECTED = 2, 98
"""Tax codes of sales that declare nothing: exports, and what the marketplace collects."""
TAXES = (
    (0, "Exempt", 0),
    (1, "Standard rate", 20),
    (2, "Zero rate", 0),
    (4, "EC goods sales", 0),
    (16, "Purchase services (reverse charge)", 20),
    (21, "Reduced rate", 5),
    (98, "Collected by marketplace", 0),
    (99, "Outside the scope", 0),
)
"""Every tax code of the books: code, name, rate in per cent."""

CONTRACTS = (
    Contract("TOOLS", "Power tools", 1200),
    Contract("GARDEN", "Garden", 1300),
    Contract("LIGHTING", "Lighting", 1000, base="PRICE"),
    Contract("PAINT", "Paint and decoration", 1500, retained=2000),
    Contract("FIXINGS", "Fixings and small parts", 1400, minimum=60),
    Contract("BOOKS", "Manuals and books", 800),
    Contract("CHILDSAFE", "Child safety", 1100),
    Contract("STORAGE", "Storage", 1200),
)

STANDARD_PRICES, MARKETPLACE_PRICES, PROMOTION = "Standard", "Marketplace", "Summer offers"
"""The price lists of the books. Offers keep to the last two, to the promotion for what is on it and while it lasts."""
PROMOTION_DAYS = (date(2026, 6, 20), date(2026, 7, 11))
"""Its first day, and the first day after it."""

_VAT = {"BOOKS": 0, "CHILDSAFE": 500}
_WEIGHTS = (22, 18, 14, 12, 12, 7, 6, 9)
_PRICES = {
    "TOOLS": (2499, 18999),
    "GARDEN": (899, 12999),
    "LIGHTING": (699, 8999),
    "PAINT": (999, 5499),
    "FIXINGS": (249, 1499),
    "BOOKS": (799, 2999),
    "CHILDSAFE": (1299, 7999),
    "STORAGE": (999, 9999),
}
_NOUNS = {
    "TOOLS": ("drill", "sander", "jigsaw", "router", "planer", "grinder", "screwdriver"),
    "GARDEN": ("trimmer", "hose reel", "rake", "planter", "secateurs", "sprinkler"),
    "LIGHTING": ("pendant", "spotlight", "lantern", "batten", "floodlight"),
    "PAINT": ("emulsion", "primer", "varnish", "wood stain", "gloss"),
    "FIXINGS": ("wood screws", "wall plugs", "angle brackets", "bolts", "picture hooks"),
    "BOOKS": ("plumbing manual", "wiring guide", "joinery handbook", "tiling guide"),
    "CHILDSAFE": ("stair gate", "car seat", "bed guard", "cupboard locks"),
    "STORAGE": ("shelving bay", "tool chest", "crate", "wall rack", "cabinet"),
}
_MAKERS = ("Alder", "Brant", "Corvid", "Dunlin", "Eider", "Fulmar", "Godwit", "Heron")
_SHIPPING = (299, 399, 499, 695)
DISCONTINUED = 6


def build_items(rng: random.Random, orders: int) -> list[Item]:
    """The item master: 80 to 400 items depending on the size of the world, the last few of them discontinued."""
    count = min(400, 80 + orders // 20)
    items: list[Item] = []
    for number in range(1, count + 1):
        # Every category is present in the smallest world too.
        contract = CONTRACTS[number - 1] if number <= len(CONTRACTS) else rng.choices(CONTRACTS, _WEIGHTS)[0]
        low, high = _PRICES[contract.category]
        price = rng.randrange(low // 50, high // 50) * 50 + rng.choice((45, 49, 0, 20, 37))
        name = f"{rng.choice(_MAKERS)} {rng.choice(_NOUNS[contract.category])} {rng.randrange(10, 990)}"
        items.append(
            Item(
                code=f"{contract.category[:3]}{number:05d}",
                name=name,
                contract=contract,
                price=price,
                cost=price * rng.randrange(42, 63) // 100,
                vat_rate=_VAT.get(contract.category, 2000),
                shipping=0 if rng.random() < 0.3 else rng.choice(_SHIPPING),
                product_id=34_700 + number,
                offer_id=2_100 + number,
                product_sku=f"MKP{100_000_000_000 + rng.randrange(10**9):015d}",
                ean=f"2{rng.randrange(10**12):012d}",
                is_discontinued=number > count - DISCONTINUED,
                # Nine per cent or so off, of every ninth item; no more of chance is drawn for it.
                promotion=price * 91 // 100 if number % 9 == 4 else None,
            )
        )
    return items


def price_in_force(item: Item, day: date) -> int:
    """What a piece costs by the price lists on `day`, in pence with VAT."""
    first, end = PROMOTION_DAYS
    if item.promotion is not None and first <= day < end:
        return item.promotion
    return item.list_price


def configuration_rows(marketplace: str) -> dict[str, list[dict[str, str]]]:
    """A seller's rows of the configuration at one marketplace, by seed file."""
    contracts = [
        {
            "marketplace_code": marketplace,
            "category_code": contract.category,
            "effective_from": "2020-01-01",
            "base": contract.base,
            "rate_percent": f"{contract.rate / 100:g}",
            "fixed_amount": "0.00",
            "minimum_amount": f"{contract.minimum / 100:.2f}" if contract.minimum else "",
            "maximum_amount": "",
            "refund_rule": "RETAIN_SHARE" if contract.retained else "FULL_PRO_RATA",
            "retain_share_percent": f"{contract.retained / 100:g}" if contract.retained else "",
            "retain_fixed_amount": "",
            "vat_percent": "20",
        }
        for contract in CONTRACTS
    ]
    fees = [
        {
            "marketplace_code": marketplace,
            "transaction_type": transaction_type,
            "fee_code": fee_code,
            "trigger": trigger,
            "amount": f"{amount / 100:.2f}",
            "percent": "",
            "effective_from": "2020-01-01",
        }
        for transaction_type, fee_code, trigger, amount in (
            ("SUBSCRIPTION_FEE", "", "MONTHLY", SUBSCRIPTION),
            ("SELLER_PENALTY_FEE", "LATE_SHIPMENT", "LATE_SHIPMENT", LATE_PENALTY),
        )
    ]
    prices = [
        {
            "marketplace_code": marketplace,
            "price_list": name,
            "priority": priority,
            "tax_basis": "GROSS",
            "effective_from": first.isoformat(),
            "effective_until": "" if end is None else end.isoformat(),
        }
        for name, priority, first, end in (
            (MARKETPLACE_PRICES, "10", date(2020, 1, 1), None),
            (PROMOTION, "20", *PROMOTION_DAYS),
        )
    ]
    return {"commission_contracts": contracts, "fee_rules": fees, "price_lists": prices}
