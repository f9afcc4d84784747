"""The views and balances that Sage 200 derives from its records: despatches, invoices of orders, movements of stock,
values per period.

Each is a function of the company's tables, made anew when one of its sources has changed, so that what a write did is
seen in every view. Orders of the world bring their despatches along; of any other, one covers what was despatched. The
lines of an order's first despatch have the ids of the order's lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

Row = dict[str, Any]
ZERO = Decimal("0.00")
NOTHING = Decimal("0.00000")
# Sage documents neither the numbers nor the signs of movements; the quantity is unsigned here, the type says which way.
GOODS_IN = (1, "Goods In")
SALE = (15, "Sales Issue")
LINE_TYPE_IDS = {
    "EnumLineTypeStandard": 0,
    "EnumLineTypeFreeText": 1,
    "EnumLineTypeCharge": 2,
    "EnumLineTypeComment": 3,
}


class TableLike(Protocol):
    @property
    def rows(self) -> Sequence[Row]: ...
    @property
    def by_key(self) -> Mapping[Any, Row]: ...


Tables = Mapping[str, TableLike]


def _ordered(tables: Tables) -> Iterator[tuple[Row, Row]]:
    """Every line of every order that is none of a draft, with its order."""
    orders = tables["sop_orders"].by_key
    for line in tables["sop_order_lines"].rows:
        order = orders.get(line["sop_order_id"])
        if order is not None and not order.get("is_draft"):
            yield order, line


def _named(tables: Tables, resource: str, key: Any, *names: str) -> list[Any]:
    row = tables[resource].by_key.get(key) or {}
    return [row.get(name, "") for name in names]


APART = 100_000_000
"""How far apart the ids of an order's first and second despatch are."""


def _despatches(order: Row) -> list[Row]:
    """The order's despatches, oldest first; without any the whole order as one, on the day of its last change."""
    return order.get("_despatches") or [
        {
            "despatch_no": f"{order['id']:010d}",
            "despatch_date": f"{order['date_time_updated'][:10]}T00:00:00Z",
            "date_time_created": order["date_time_updated"],
            "courier_name": "",
            "consignment_no": "",
        }
    ]


def _despatched(tables: Tables) -> Iterator[tuple[Row, Row, Row, int, Decimal]]:
    """Every despatched line: its order, the line, its despatch, how many came before that one, and the quantity."""
    for order, line in _ordered(tables):
        if not line.get("despatch_receipt_quantity"):
            continue
        for place, despatch in enumerate(_despatches(order)):
            quantities = despatch.get("quantities")
            quantity = line["despatch_receipt_quantity"] if quantities is None else quantities.get(line["id"])
            if quantity:
                yield order, line, despatch, place, quantity


def despatch_lines(tables: Tables) -> list[Row]:
    found = []
    for order, line, despatch, place, quantity in _despatched(tables):
        reference, name = _named(tables, "customers", order["customer_id"], "reference", "name")
        code, product = _named(tables, "products", line.get("product_id"), "code", "name")
        (warehouse,) = _named(tables, "warehouses", line.get("warehouse_id"), "name")
        found.append(
            {
                "sop_despatch_line_id": line["id"] + place * APART,
                "sop_despatch_line_quantity": quantity,
                "sop_despatch_line_is_invoiced": line.get("invoice_credit_quantity", 0)
                >= line["despatch_receipt_quantity"],
                "sop_despatch_id": order["id"] + place * APART,
                "sop_despatch_document_no": despatch["despatch_no"],
                "sop_despatch_date": despatch["despatch_date"],
                "sop_order_line_id": line["id"],
                "sop_order_line_type_id": LINE_TYPE_IDS.get(line.get("line_type", ""), 0),
                "sop_order_line_item_code": line.get("code") or "",
                "sop_order_line_item_description": line.get("description") or "",
                "sop_order_line_quantity": line["line_quantity"],
                "sop_order_line_despatch_quantity": line["despatch_receipt_quantity"],
                "sop_order_id": order["id"],
                "sop_order_document_no": order["document_no"],
                "sop_order_document_date": order["document_date"],
                # As seen: a number in quotes, where orders give a name.
                "sop_order_document_status_type": "2" if order["document_status"].endswith("Complete") else "0",
                "sop_order_customer_document_no": order.get("customer_document_no") or "",
                "customer_id": order["customer_id"],
                "customer_reference": reference,
                "customer_name": name,
                "product_id": line.get("product_id") or 0,
                "product_code": code,
                "product_name": product,
                "warehouse_id": line.get("warehouse_id") or 0,
                "warehouse_name": warehouse,
                "sop_despatch_courier_name": despatch["courier_name"],
                "sop_despatch_consignment_no": despatch["consignment_no"],
                "sop_despatch_pieces": 0,
                "date_time_updated": despatch["date_time_created"],
            }
        )
    return found


def despatch_receipts(tables: Tables) -> list[Row]:
    found = {order["id"] + place * APART: despatch for order, _, despatch, place, _ in _despatched(tables)}
    return [
        {
            "id": number,
            "despatch_no": despatch["despatch_no"],
            "despatched_by": "Warehouse",
            "despatch_date": despatch["despatch_date"],
            "courier_id": 0,
            "courier_name": despatch["courier_name"],
            "consignment_no": despatch["consignment_no"],
            "pieces": 0,
            "notes": "",
            "date_time_created": despatch["date_time_created"],
            "date_time_updated": despatch["date_time_created"],
        }
        for number, despatch in found.items()
    ]


def _day(order: Row) -> str:
    """The order's last change is the nearest thing to a date of despatch that an order itself has."""
    return f"{order['date_time_updated'][:10]}T00:00:00Z"


def _invoices(tables: Tables) -> dict[str, Row]:
    """Posted invoices by the number of their order, which is their second reference."""
    return {
        row["second_reference"]: row
        for row in tables["sales_posted_transactions"].rows
        if row["trader_transaction_type"] == "TradingAccountEntryTypeInvoice" and row.get("second_reference")
    }


def order_invoice_links(tables: Tables) -> list[Row]:
    invoices = _invoices(tables)
    found = []
    for order in tables["sop_orders"].rows:
        invoice = invoices.get(order["document_no"])
        if invoice is None or order.get("is_draft"):
            continue
        reference, name, short_name = _named(
            tables, "customers", order["customer_id"], "reference", "name", "short_name"
        )
        found.append(
            {
                "sop_order_return_id": order["id"],
                "sop_order_return_document_type_id": 0,
                "sop_order_return_document_no": order["document_no"],
                "sop_order_return_document_date": order["document_date"],
                "sop_order_return_document_status_id": 2 if order["document_status"].endswith("Complete") else 0,
                "sop_order_return_customer_document_no": order.get("customer_document_no") or "",
                "sop_order_return_total_net_value": order["total_net_value"],
                "sop_order_return_total_tax_value": order["total_tax_value"],
                "sop_order_return_total_gross_value": order["total_gross_value"],
                "customer_id": order["customer_id"],
                "customer_reference": reference,
                "customer_name": name,
                "customer_short_name": short_name,
                "sop_invoice_credit_id": invoice["id"],
                "sop_invoice_credit_document_no": invoice["reference"],
                "sop_invoice_credit_type_id": "0",
                "sop_invoice_credit_document_date": invoice["transaction_date"],
                "sop_invoice_credit_document_status_id": "2",
                "sop_invoice_credit_total_net_value": invoice["document_goods_value"],
                "sop_invoice_credit_total_tax_value": invoice["document_tax_value"],
                "sop_invoice_credit_total_gross_value": invoice["document_gross_value"],
            }
        )
    return found


def invoice_lines(tables: Tables) -> list[Row]:
    invoices = _invoices(tables)
    found = []
    for order, line in _ordered(tables):
        invoice = invoices.get(order["document_no"])
        if invoice is None or not line.get("invoice_credit_quantity"):
            continue
        reference, name = _named(tables, "customers", order["customer_id"], "reference", "name")
        product = tables["products"].by_key.get(line.get("product_id")) or {}
        cost = Decimal(product.get("average_buying_price") or 0) * line["invoice_credit_quantity"]
        stamp = invoice["date_time_updated"]
        found.append(
            {
                "customer_id": order["customer_id"],
                "customer_reference": reference,
                "customer_name": name,
                "sop_invoice_credit_id": invoice["id"],
                "sop_invoice_credit_type": "EnumSOPInvoiceCreditTypeInvoice",
                "sop_invoice_credit_document_no": invoice["reference"],
                "sop_invoice_credit_document_date": invoice["transaction_date"],
                "sop_invoice_credit_document_status": "EnumDocumentStatusComplete",
                "sop_invoice_credit_exchange_rate": Decimal("1.000000"),
                "sop_invoice_credit_date_time_updated": stamp,
                "sop_invoice_credit_line_id": line["id"],
                "sop_invoice_credit_line_invoice_credit_date": invoice["transaction_date"],
                "sop_invoice_credit_line_total_value": line["line_total_value"],
                "sop_invoice_credit_line_tax_value": line["line_tax_value"],
                "sop_invoice_credit_line_date_time_updated": stamp,
                "invoice_line_profit_analysis_id": line["id"],
                "invoice_line_profit_analysis_line_quantity": line["invoice_credit_quantity"],
                "invoice_line_profit_analysis_realised_cost_value": cost.quantize(NOTHING),
                "invoice_line_profit_analysis_realised_profit_value": (line["line_total_value"] - cost).quantize(
                    NOTHING
                ),
                "invoice_line_profit_analysis_date_time_updated": stamp,
                "product_id": product.get("id", 0),
                "product_code": product.get("code", ""),
                "product_name": product.get("name", ""),
            }
        )
    return found


def stock_movements(tables: Tables) -> list[Row]:
    """What came in and what was sold, so that each holding's movements make its quantity in stock."""
    sold: dict[tuple[Any, Any], Decimal] = {}
    issues: list[Row] = []
    for order, line in _ordered(tables):
        quantity = line.get("despatch_receipt_quantity")
        if not quantity or not line.get("product_id"):
            continue
        place = (line["product_id"], line.get("warehouse_id"))
        sold[place] = sold.get(place, NOTHING) + quantity
        stamp = line.get("date_time_updated") or order["date_time_updated"]
        issues.append(_movement(tables, SALE, *place, quantity, stamp, order["document_no"]))
    opening = [
        _movement(
            tables,
            GOODS_IN,
            holding["product_id"],
            holding["warehouse_id"],
            holding["quantity_in_stock"] + sold.get((holding["product_id"], holding["warehouse_id"]), NOTHING),
            holding["date_time_created"],
            "OPENING",
        )
        for holding in tables["warehouse_holdings"].rows
    ]
    return [row | {"id": number} for number, row in enumerate([*opening, *issues], start=700_001)]


def _movement(
    tables: Tables,
    kind: tuple[int, str],
    product_id: Any,
    warehouse_id: Any,
    quantity: Decimal,
    stamp: str,
    reference: str,
) -> Row:
    product = tables["products"].by_key.get(product_id) or {}
    (warehouse,) = _named(tables, "warehouses", warehouse_id, "name")
    cost = Decimal(product.get("average_buying_price") or 0)
    return {
        "product_id": product_id,
        "product_group_id": product.get("product_group_id", 0),
        "product_code": product.get("code", ""),
        "transaction_type_id": kind[0],
        "transaction_type": kind[1],
        "transaction_date": f"{stamp[:10]}T00:00:00Z",
        "source_area_name": "SOP" if kind is SALE else "Stock Control",
        "source_area_reference": reference,
        "reference": reference,
        "second_reference": "",
        "warehouse_name": warehouse,
        "bin_name": "Unspecified",
        "quantity": quantity,
        "unit_cost_price": cost,
        "cost_value": (cost * quantity).quantize(NOTHING),
        "memo": "",
        "user_name": "Warehouse",
        "date_time_updated": stamp,
    }


def period_values(tables: Tables) -> list[Row]:
    """Debits less credits of each account and period; an account without any has no row for it."""
    sums: dict[tuple[Any, Any], Decimal] = {}
    for leg in tables["nominal_transaction_enquiry_views"].rows:
        place = (leg["nominal_code_id"], leg["accounting_period_id"])
        sums[place] = sums.get(place, ZERO) + leg["debit"] - leg["credit"]
    codes, periods = tables["nominal_codes"].by_key, tables["financial_year_period_views"].by_key
    found = []
    for number, ((code_id, period_id), value) in enumerate(sorted(sums.items()), start=900_001):
        code, period = codes.get(code_id), periods.get(period_id)
        if code is None or period is None:
            continue
        found.append(
            {
                "nominal_code_id": code_id,
                "nominal_code_account_type": code.get("nominal_account_type", ""),
                "nominal_code_name": code.get("name", ""),
                "nominal_code_reference": code["reference"],
                "nominal_code_cost_centre": code.get("cost_centre_code", ""),
                "nominal_code_department": code.get("department_code", ""),
                "nominal_code_account_status_type": code.get("account_status_type", ""),
                "nominal_period_value_id": number,
                "nominal_period_value_budget_value": NOTHING,
                "nominal_period_value_actual_value": value.quantize(NOTHING),
                "nominal_period_value_adjustment_after_year_end_close": NOTHING,
                "accounting_period_id": period_id,
                "accounting_period_period_number": period["period_number"],
                "accounting_period_start_date": period["period_start_date"],
                "accounting_period_end_date": period["period_end_date"],
                "financial_year_id": period["financial_year_id"],
                "financial_year_start_date": period["financial_year_start_date"],
                "year_relative_to_current_year": period["year_relative_to_current_year"],
                "number_of_periods_in_year": period["number_of_periods_in_year"],
            }
        )
    return found


_ORDERS = ("sop_orders", "sop_order_lines")
VIEWS: dict[str, tuple[Callable[[Tables], list[Row]], tuple[str, ...]]] = {
    "sop_order_despatch_line_views": (despatch_lines, _ORDERS),
    "sop_despatch_receipts": (despatch_receipts, _ORDERS),
    "sop_order_return_invoice_credit_views": (order_invoice_links, (*_ORDERS, "sales_posted_transactions")),
    "customer_sop_invoice_credit_line_views": (invoice_lines, (*_ORDERS, "sales_posted_transactions")),
    "product_transaction_views": (stock_movements, (*_ORDERS, "warehouse_holdings")),
    "nominal_period_value_views": (period_values, ("nominal_transaction_enquiry_views",)),
}
"""Resource → how its rows are made, and from which tables."""
