"""A seller's books read back in the plainest way out of either ERP's tables: what two accountants would agree on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sandbox.world import SageWorld, World

TRADING = 2
"""The trading company's subsidiary in NetSuite."""
SAGE_STATUSES = {"Live": "LIVE", "OnHold": "ON_HOLD", "Complete": "COMPLETE", "Cancelled": "CANCELLED"}
NETSUITE_STATUSES = {"A": "ON_HOLD", "B": "LIVE", "C": "CANCELLED", "D": "LIVE", "F": "LIVE", "G": "COMPLETE"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Line:
    order_line_id: str
    is_charge: bool
    item: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    tax_code: str
    despatched: Decimal


@dataclass(frozen=True)
class StockItem:
    """An item of the ERP by the last part of its name."""

    code: str
    barcode: str
    is_active: bool
    cost: Decimal
    prices: dict[str, Decimal]
    """By price list."""
    changed: datetime


@dataclass(frozen=True)
class Order:
    number: str
    reference: str
    status: str
    customer: str
    currency: str
    marketplace: str
    created: datetime
    changed: datetime
    lines: tuple[Line, ...]

    @property
    def is_live(self) -> bool:
        return self.status != "CANCELLED"


@dataclass(frozen=True, order=True)
class Credit:
    """A credit note or an invoice: whom it names, amounts positive, tax included."""

    number: str
    customer: str
    names: str
    day: date
    gross: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Parcel:
    """What left the warehouse at one time. `carrier` and `tracking` are "" where the books name none."""

    number: str
    reference: str
    carrier: str
    tracking: str


@dataclass(frozen=True)
class Books:
    """`free` by item and warehouse; `postings` by document reference, account, date and period, net debit."""

    orders: list[Order]
    items: list[StockItem]
    parcels: list[Parcel]
    tax_code: dict[str, str]
    inactive: set[str]
    free: dict[tuple[str, str], Decimal]
    allocated: dict[tuple[str, str], Decimal]
    postings: dict[tuple[str, str, date, str], Decimal]
    credits: list["Credit"]
    invoices: list["Credit"]

    @property
    def warehouses(self) -> set[str]:
        return {name for _, name in self.free}


def books_of(world: World, marketplace: str = "BRICO") -> Books:
    if marketplace == "BRICO" and world.sage is not None:
        return sage_books(world.sage)
    account = world.netsuite["NS_UK" if marketplace == "BRICO" else "NS_HOME"]
    return netsuite_books(account.tables, account.ship_methods)


def _named(rows: Iterable[Row], name: str) -> dict[int, str]:
    return {row["id"]: str(row[name]) for row in rows}


def sage_books(company: SageWorld) -> Books:
    tables = company.tables
    customer, code = _named(tables["customers"], "reference"), _named(tables["tax_codes"], "code")
    currency = {row["id"]: row["currency_iso_code"]["code"] for row in tables["currencies"]}
    item, place = _named(tables["products"], "code"), _named(tables["warehouses"], "name")
    account = _named(tables["nominal_codes"], "reference")
    period = {
        row["accounting_period_id"]: row["period_start_date"][:7] for row in tables["financial_year_period_views"]
    }
    postings: dict[tuple[str, str, date, str], Decimal] = defaultdict(Decimal)
    for leg in tables["nominal_transaction_enquiry_views"]:
        day = date.fromisoformat(leg["transaction_date"][:10])
        key = (leg["reference"], account[leg["nominal_code_id"]], day, period[leg["accounting_period_id"]])
        postings[key] += leg["debit"] - leg["credit"]
    prices: dict[int, dict[str, Row]] = defaultdict(dict)
    for row in tables["product_price_views"]:
        prices[row["product_id"]][row["price_band_name"]] = row
    holdings = {(item[row["product_id"]], place[row["warehouse_id"]]): row for row in tables["warehouse_holdings"]}
    return Books(
        orders=[
            Order(
                number=row["document_no"],
                reference=row["customer_document_no"],
                status=SAGE_STATUSES[row["document_status"].removeprefix("EnumDocumentStatus")],
                customer=customer[row["customer_id"]],
                currency=currency[row["currency_id"]],
                marketplace=row["analysis_code_1"],
                created=datetime.fromisoformat(row["date_time_created"]).replace(microsecond=0, tzinfo=None),
                changed=datetime.fromisoformat(row["date_time_updated"]).replace(microsecond=0, tzinfo=None),
                lines=tuple(
                    Line(
                        order_line_id=line["analysis_code_1"],
                        is_charge=line["line_type"] == "EnumLineTypeCharge",
                        item=line["code"],
                        quantity=line["line_quantity"],
                        net=line["line_total_value"],
                        tax=line["line_tax_value"],
                        tax_code=code[line["tax_code_id"]],
                        despatched=line["despatch_receipt_quantity"],
                    )
                    for line in row["lines"]
                ),
            )
            for row in tables["sop_orders"]
            if not row["is_draft"]
        ],
        items=[
            StockItem(
                row["code"],
                row["barcode"],
                row["product_status_type"].endswith("TypeActive"),
                row["standard_cost"],
                {name: each["product_price_price"] for name, each in prices[row["id"]].items()},
                max(datetime.fromisoformat(each["date_time_updated"]) for each in prices[row["id"]].values()),
            )
            for row in tables["products"]
        ],
        parcels=[
            Parcel(
                despatch["despatch_no"],
                row["customer_document_no"],
                despatch["courier_name"],
                despatch["consignment_no"],
            )
            for row in tables["sop_orders"]
            for despatch in row["_despatches"]
        ],
        tax_code={row["code"]: code[row["tax_code_id"]] for row in tables["products"]},
        inactive={row["code"] for row in tables["products"] if row["product_status_type"].endswith("TypeInactive")},
        free={key: row["free_stock_available"] for key, row in holdings.items()},
        allocated={key: row["quantity_allocated"] for key, row in holdings.items()},
        postings={key: amount for key, amount in postings.items() if amount},
        credits=_sage_documents(tables, customer, "CreditNote", {}),
        invoices=_sage_documents(
            tables,
            customer,
            "Invoice",
            {row["document_no"]: row["customer_document_no"] for row in tables["sop_orders"]},
        ),
    )


def _sage_documents(
    tables: dict[str, Any], customer: dict[int, str], kind: str, order_of: dict[str, str]
) -> list[Credit]:
    return sorted(
        Credit(
            number=row["reference"],
            customer=customer[row["customer_id"]],
            names=order_of.get(row["second_reference"], row["second_reference"]),
            day=date.fromisoformat(row["transaction_date"][:10]),
            gross=abs(row["document_gross_value"]),
            tax=abs(row["document_tax_value"]),
        )
        for row in tables["sales_posted_transactions"]
        if row["trader_transaction_type"] == f"TradingAccountEntryType{kind}"
    )


def netsuite_books(tables: dict[str, Any], services: Mapping[int, str]) -> Books:
    customer, code = _named(tables["customer"], "entityid"), _named(tables["salestaxitem"], "name")
    currency, kind = _named(tables["currency"], "symbol"), _named(tables["classification"], "name")
    item = _named(tables["item"], "itemid")
    place = {row["id"]: row["name"] for row in tables["location"] if row["subsidiary"] == str(TRADING)}
    lines: dict[int, list[Row]] = defaultdict(list)
    for line in sorted(tables["transactionline"], key=lambda row: (row["transaction"], row["linesequencenumber"])):
        lines[line["transaction"]].append(line)
    headers = {row["id"]: row for row in tables["transaction"] if lines[row["id"]][0]["subsidiary"] == TRADING}
    number = {row["id"]: row["trackingnumber"] for row in tables["trackingnumber"]}
    numbers = {row["transaction"]: number[row["trackingnumber"]] for row in tables["trackingnumbermap"]}
    stocked = [row for row in tables["inventoryitemlocations"] if row["location"] in place and "quantityonhand" in row]
    prices: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for row in tables["itemprice"]:
        prices[row["item"]][row["pricelevelname"]] = row["price"]
    goods = [row for row in tables["item"] if row["itemtype"] == "InvtPart"]
    key = {id(row): (item[row["item"]], place[row["location"]]) for row in stocked}
    return Books(
        orders=[
            Order(
                number=row["tranid"],
                reference=row["otherrefnum"],
                status=NETSUITE_STATUSES[row["status"]],
                customer=customer[row["entity"]],
                currency=currency[row["currency"]],
                marketplace=kind.get(lines[row["id"]][0].get("class"), ""),
                created=row["createddate"],
                changed=row["lastmodifieddate"],
                lines=tuple(_sold(lines[row["id"]][1:], item, code)),
            )
            for row in headers.values()
            if row["type"] == "SalesOrd"
        ],
        items=[
            StockItem(
                row["itemid"].rpartition(" : ")[2],
                row["upccode"],
                row["isinactive"] == "F",
                row["averagecost"],
                prices[row["id"]],
                row["lastmodifieddate"].replace(tzinfo=UTC),
            )
            for row in goods
        ],
        parcels=[
            Parcel(
                number=row["tranid"],
                reference=headers[lines[row["id"]][0]["createdfrom"]]["otherrefnum"],
                carrier=services.get(lines[row["id"]][0]["shipmethod"], ""),
                tracking=numbers.get(row["id"], ""),
            )
            for row in headers.values()
            if row["type"] == "ItemShip"
        ],
        tax_code={row["itemid"]: code[row["salestaxcode"]] for row in goods},
        inactive={row["itemid"] for row in goods if row["isinactive"] == "T"},
        free={key[id(row)]: row["quantityavailable"] - row["quantitybackordered"] for row in stocked},
        allocated={key[id(row)]: row["quantitycommitted"] + row["quantitybackordered"] for row in stocked},
        postings=_posted(tables, headers),
        credits=_netsuite_documents(headers, lines, customer, "CustCred"),
        invoices=_netsuite_documents(headers, lines, customer, "CustInvc"),
    )


def _netsuite_documents(
    headers: dict[int, Row], lines: dict[int, list[Row]], customer: dict[int, str], kind: str
) -> list[Credit]:
    return sorted(
        Credit(
            number=row["tranid"],
            customer=customer[row["entity"]],
            names=row["otherrefnum"],
            day=row["trandate"],
            gross=abs(lines[row["id"]][0]["foreignamount"]),
            tax=abs(sum((line["foreignamount"] for line in lines[row["id"]] if line["taxline"] == "T"), Decimal(0))),
        )
        for row in headers.values()
        if row["type"] == kind and row["voided"] != "T"
    )


def _sold(lines: list[Row], item: dict[int, str], code: dict[int, str]) -> Iterable[Line]:
    for line, tax in zip(lines[::2], lines[1::2], strict=True):
        assert (line["taxline"], tax["taxline"]) == ("F", "T")
        yield Line(
            order_line_id=line["memo"] or "",
            is_charge=line["itemtype"] == "OthCharge",
            item=item[line["item"]],
            quantity=-line["quantity"],
            net=-line["foreignamount"],
            tax=-tax["foreignamount"],
            tax_code=code[tax["item"]],
            despatched=line["quantityshiprecv"],
        )


def _posted(tables: dict[str, Any], headers: dict[int, Row]) -> dict[tuple[str, str, date, str], Decimal]:
    account = _named(tables["account"], "acctnumber")
    period = {row["id"]: f"{row['startdate']:%Y-%m}" for row in tables["accountingperiod"]}
    found: dict[tuple[str, str, date, str], Decimal] = defaultdict(Decimal)
    for leg in tables["transactionaccountingline"]:
        header = headers.get(leg["transaction"])
        if header is None or leg["posting"] != "T" or leg["accountingbook"] != 1 or header["voided"] == "T":
            continue
        reference = (header.get("externalid") or "").removeprefix("JE-") or header["tranid"]
        found[reference, account[leg["account"]], header["trandate"], period[header["postingperiod"]]] += leg["amount"]
    return {key: amount for key, amount in found.items() if amount}
