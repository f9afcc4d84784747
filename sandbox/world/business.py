"""Who sells where and has a bank account for it: all in which one seller's world differs from another's but chance."""

from dataclasses import dataclass, replace

from sandbox.world.model import Shop

ORDER_LED, SETTLEMENT_LED = "ORDER_LED", "SETTLEMENT_LED"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the seller outside the marketplace. `reference` is what the books know it by."""

    reference: str
    name: str
    account: str


def coded(code: str, number: int) -> str:
    """A code in one of several worlds that one pipeline reads: the world's number stands behind it, unless it is 0."""
    return f"{code}{number or ''}"


_TRADE = (
    Customer("ALDER01", "Alderbrook Joinery Ltd", "GB94BARC10201530093459"),
    Customer("CORVID1", "Corvid Contracts LLP", "GB82WEST12345698765432"),
    Customer("DUNLIN1", "Dunlin Property Care", "GB33BUKB20201555555512"),
    Customer("EIDER01", "Eider Estates", "GB96BARC20201530093459"),
    Customer("FULMAR1", "Fulmar Fit-out Ltd", "GB02BARC20201530093451"),
    Customer("GODWIT1", "Godwit Schools Trust", "GB68CITI18500483515538"),
)


@dataclass(frozen=True, slots=True)
class Business:
    """One seller on one marketplace, with its bank account and the names it has in its books.

    `look_alike` is the trade customer that sounds like the marketplace's payer, and is not. `first_order` is where the
    marketplace's order numbers begin. `customer` is the marketplace's account in the books.
    """

    marketplace: str
    platform_name: str
    tenant_name: str
    entity: str
    shop: Shop
    email: str
    first_order: int
    bank_account: str
    customer: str
    customer_name: str
    clearing_name: str
    payer: str
    payer_account: str
    end_to_end: str
    look_alike: Customer
    has_reserve: bool
    """Whether it has a second bank account (sandbox/world/reserve.py)."""
    stream: str
    """What stands before the name of each of its random streams."""
    vat_period_end: int = 3
    """A month with which one of its VAT quarters ends."""
    posting_model: str = ORDER_LED
    """SETTLEMENT_LED: the books invoice nobody for the marketplace, settlements book the sales."""

    number: int = 0
    """The number of its world; see `coded`."""

    @property
    def name(self) -> str:
        """The marketplace's code in a world without a number."""
        return self.marketplace.removesuffix(coded("", self.number))

    def numbered(self, number: int) -> "Business":
        """The same business in the world of this number. Raises nothing: 0 leaves all as it is."""
        return replace(
            self,
            marketplace=coded(self.marketplace, number),
            entity=coded(self.entity, number),
            bank_account=coded(self.bank_account, number),
            number=number,
        )

    def booked(self, posting_model: str) -> "Business":
        """The same business under this posting model."""
        return replace(self, posting_model=posting_model)

    @property
    def is_settlement_led(self) -> bool:
        return self.posting_model == SETTLEMENT_LED

    @property
    def is_foreign(self) -> bool:
        """Whether it trades in another currency than its books are in."""
        return self.shop.currency != "GBP"

    @property
    def iban(self) -> str:
        return self.shop.iban

    @property
    def customers(self) -> tuple[Customer, ...]:
        return (_TRADE[0], self.look_alike, *_TRADE[1:])


BRICO = Business(
    marketplace="BRICO",
    platform_name="Brico Marketplace UK",
    tenant_name="brico-demo",
    entity="UKTRADE",
    shop=Shop(
        id=2042,
        name="UK Trade Supplies",
        corporate_name="UK Trade Supplies Ltd",
        internal_id="SELLER-2042",
        model="MARKETPLACE",
        country="GBR",
        city="Sampleton",
        street="1 Imaginary Row",
        zip_code="ZZ1 1ZZ",
        tax_number="GB123456789",
        iban="GB33BUKB20201555555555",
    ),
    email="marketplace@uktrade.example",
    first_order=26_000_000,
    bank_account="BARC_GBP",
    customer="MKBRICO",
    customer_name="Brico Marketplace customers",
    clearing_name="Marketplace clearing BRICO",
    payer="BRICO MARKETPLACE SAS",
    payer_account="FR1420041010050500013M02606",
    end_to_end="BRX",
    look_alike=Customer("BRICOLA", "Bricolage Marketing Ltd", "GB29NWBK60161331926819"),
    has_reserve=True,
    stream="",
)
HOMELY = Business(
    marketplace="HOMELY",
    platform_name="Homely Marketplace UK",
    tenant_name="homely-demo",
    entity="NORTHHOME",
    shop=Shop(
        id=3107,
        name="North Home",
        corporate_name="North Home Ltd",
        internal_id="SELLER-3107",
        model="MARKETPLACE",
        country="GBR",
        city="Fictionham",
        street="12 Pretend Avenue",
        zip_code="ZZ4 7QQ",
        tax_number="GB246813579",
        iban="GB71HBUK40127612345678",
        bic="HBUKGB4BXXX",
    ),
    email="marketplace@northhome.example",
    first_order=71_000_000,
    bank_account="HSBC_GBP",
    customer="MKHOMELY",
    customer_name="Homely Marketplace customers",
    clearing_name="Marketplace clearing HOMELY",
    payer="HOMELY PAYMENTS LTD",
    payer_account="GB64HBUK40127698765432",
    end_to_end="HMY",
    look_alike=Customer("HOMELAN", "Homeland Security Doors Ltd", "GB35LOYD30961712345678"),
    has_reserve=False,
    stream="HOMELY:",
    vat_period_end=1,
)
