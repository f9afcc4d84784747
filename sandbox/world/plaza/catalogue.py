"""What PLAZA sells and what it charges its sellers."""

import random

from sandbox.world.model import Contract, Item

MARKETPLACE = "PLAZA"
CURRENCY = "GBP"
PSP = "MIRAKL_PAYOUT"
TAX_MODE = "TAX_EXCLUDED"
"""Orders are expressed without tax; a seller whose taxes the platform does not know has gross prices and no tax."""

SUBSCRIPTION = 2_900
LATE_PENALTY = 500
HANDLING_FEE = 35
SALES_TAX = 2_000
COMMISSION_VAT = 2_000
TAX_CODE = "GB-VAT-20"
PAYMENT_DAYS = 7

CONTRACTS = (
    Contract("HOME", "Home and living", 1200),
    Contract("TECH", "Technology", 800, base="PRICE"),
    Contract("FASHION", "Fashion", 1500, retained=2000),
    Contract("CRAFT", "Craft supplies", 1400, minimum=60),
)
OVERSEAS_CONTRACTS = (
    Contract("XB_HOME", "Cross-border home and living", 1300),
    Contract("XB_TECH", "Cross-border technology", 900, base="PRICE"),
)
"""Categories of sellers established abroad: no British VAT on their commission."""

ITEMS_PER_CATEGORY = 30
_PRICES = {
    "HOME": (1_200, 14_000),
    "TECH": (1_900, 32_000),
    "FASHION": (1_500, 9_500),
    "CRAFT": (300, 2_400),
    "XB_HOME": (900, 8_000),
    "XB_TECH": (1_400, 16_000),
}
_NOUNS = {
    "HOME": ("armchair", "floor lamp", "duvet", "mirror", "bookcase", "rug"),
    "TECH": ("headphones", "monitor", "router", "keyboard", "speaker", "webcam"),
    "FASHION": ("coat", "boots", "scarf", "jumper", "dress", "belt"),
    "CRAFT": ("yarn", "beads", "brush set", "felt sheets", "stamp pad", "ribbon"),
    "XB_HOME": ("vase", "throw", "wall clock", "candle set", "tray", "cushion"),
    "XB_TECH": ("charger", "dash camera", "earbuds", "tripod", "hub", "smart plug"),
}
_MAKERS = ("Larch", "Merle", "Nuthatch", "Osprey", "Plover", "Quill", "Rowan", "Siskin")
_SHIPPING = (0, 0, 298, 398, 498, 698)


def build_items(rng: random.Random) -> dict[str, list[Item]]:
    """What can be sold, by category. Prices and shipping are even numbers of pence: a half is a whole penny."""
    found: dict[str, list[Item]] = {}
    number = 0
    for contract in (*CONTRACTS, *OVERSEAS_CONTRACTS):
        low, high = _PRICES[contract.category]
        items = found[contract.category] = []
        for _ in range(ITEMS_PER_CATEGORY):
            number += 1
            price = rng.randrange(low // 50, high // 50) * 50 + rng.choice((48, 98, 0, 20, 36))
            items.append(
                Item(
                    code=f"{contract.category[:4].rstrip('_')}-{number:04d}",
                    name=f"{rng.choice(_MAKERS)} {rng.choice(_NOUNS[contract.category])} {rng.randrange(10, 990)}",
                    contract=contract,
                    price=price,
                    cost=price // 2,
                    vat_rate=SALES_TAX,
                    shipping=rng.choice(_SHIPPING),
                    product_id=61_000 + number,
                    offer_id=0,
                    product_sku=f"PLZ{700_000_000 + rng.randrange(10**7):012d}",
                    ean=f"2{rng.randrange(10**12):012d}",
                )
            )
    return found


def configuration_rows() -> dict[str, list[dict[str, str]]]:
    """PLAZA's rows of the configuration, by seed file."""
    contracts = [
        {
            "marketplace_code": MARKETPLACE,
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
            "vat_percent": "0" if contract in OVERSEAS_CONTRACTS else "20",
        }
        for contract in (*CONTRACTS, *OVERSEAS_CONTRACTS)
    ]
    fees = [
        {
            "marketplace_code": MARKETPLACE,
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
            ("SELLER_FEE_ON_ORDER", "HANDLING", "NONE", HANDLING_FEE),
        )
    ]
    return {"commission_contracts": contracts, "fee_rules": fees}
