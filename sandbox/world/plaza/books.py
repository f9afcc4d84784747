"""The NetSuite account in which PLAZA's operator keeps its books: a chart, its sellers as vendors, nothing posted."""

from datetime import date

from sandbox.netsuite import NetSuiteWorld
from sandbox.world.business import coded
from sandbox.world.model import Shop
from sandbox.world.netsuite.account import SET_UP, Account, add_companies, add_periods, add_taxes
from sandbox.world.netsuite.ids import GBP, GERMAN, TRADING
from sandbox.world.netsuite.tables import Tables, when
from sandbox.world.plaza.ledger import SellerLedger

OPERATOR = Shop(
    id=0,
    name="Plaza",
    corporate_name="Plaza Operations Ltd",
    internal_id="PLAZA",
    model="MARKETPLACE",
    country="GBR",
    city="Sampleton",
    street="9 Imaginary Row",
    zip_code="ZZ1 1ZZ",
    tax_number="GB987654321",
    iban="",
)
CHART = (
    ("1000", "Collection account", "Bank"),
    ("1120", "Payment provider clearing", "OthCurrAsset"),
    ("1130", "Sellers in debit", "OthCurrAsset"),
    ("2150", "Due to sellers", "OthCurrLiab"),
    ("2155", "Sellers' reserves", "OthCurrLiab"),
    ("2165", "Tax collected for sellers", "OthCurrLiab"),
    ("2200", "Output VAT", "OthCurrLiab"),
    ("2210", "Input VAT", "OthCurrLiab"),
    ("2310", "Deferred commission", "DeferRevenue"),
    ("4210", "Commission", "Income"),
    ("4220", "Subscriptions of sellers", "Income"),
    ("4230", "Other fees of sellers", "Income"),
    ("4240", "Penalties", "Income"),
    ("4250", "Adjustments with sellers", "Income"),
    ("5310", "Carriage on behalf of sellers", "COGS"),
    ("6610", "Promotions", "Expense"),
    ("6620", "Payment provider fees", "Expense"),
)
_FIRST_VENDOR = 3_001


def operators_account(number: int = 0) -> Account:
    return Account(coded("NS_PLAZA", number), f"{8765432 + number}", "Europe/London")


def render_books(ledgers: list[SellerLedger], first_day: date, as_of: int, number: int = 0) -> NetSuiteWorld:
    """The account's tables at `as_of` (milliseconds). A vendor's external id is the shop's id on the marketplace."""
    account, tables = operators_account(number), Tables(TRADING)
    add_companies(tables, OPERATOR, {})
    add_periods(tables, first_day, as_of)
    add_taxes(tables)
    for position, (code, name, kind) in enumerate(CHART):
        tables.add(
            "account",
            id=101 + position,
            acctnumber=code,
            fullname=name,
            accountsearchdisplayname=f"{code} {name}",
            displaynamewithhierarchy=f"{code} {name}",
            accttype=kind,
            currency=str(GBP) if kind == "Bank" else "",
            subsidiary=str(TRADING) if kind == "Bank" else f"{TRADING}, {GERMAN}",
            isinactive="F",
            issummary="F",
            eliminate="F",
            sspecacct=None,
            lastmodifieddate=when(SET_UP),
        )
        tables.add("accountsubsidiarymap", account=101 + position, subsidiary=TRADING)
    for position, ledger in enumerate(ledgers):
        shop = ledger.seller.shop
        tables.add(
            "entity",
            id=_FIRST_VENDOR + position,
            entityid=shop.internal_id,
            altname=shop.corporate_name,
            externalid=str(shop.id),
            type="Vendor",
            isperson="F",
            isinactive="F",
            datecreated=when(SET_UP),
            lastmodifieddate=when(SET_UP),
        )
    return NetSuiteWorld(tables=dict(tables.rows), account_id=account.account_id, time_zone=account.time_zone)
