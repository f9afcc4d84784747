"""Sales orders as they are created and amended: what Sage 200 checks, computes, allocates, and leaves half done.

Unit prices and quantities have five decimals, values two, in the customer's currency; a line's tax is rounded by line.
An amendment changes line by line and stops at the first line that it refuses: the lines before it stay changed.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.clock import midnight, stamp
from sandbox.sage_bodies import ZERO, PostingError, check_body
from sandbox.sage_company import SageCompany, contract
from sandbox.sage_posting import USER_NAME
from sandbox.sage_records import SageRecords

NIL = Decimal("0.00000")
STANDARD, FREE_TEXT = "EnumLineTypeStandard", "EnumLineTypeFreeText"
CHARGE, COMMENT = "EnumLineTypeCharge", "EnumLineTypeComment"
LIVE, DRAFT, ON_HOLD = "EnumDocumentStatusLive", "EnumDocumentStatusDraft", "EnumDocumentStatusOnHold"
CLOSED = frozenset({"EnumDocumentStatusComplete", "EnumDocumentStatusCancelled"})
DRAFT_NUMBER = "TBA"
_FREE_MEMBERS = ("spare_text_", "spare_number_", "spare_date_", "spare_bool_")
_HEADER = (
    "customer_document_no",
    "document_date",
    "requested_delivery_date",
    "promised_delivery_date",
    "use_invoice_address",
    "order_priority",
    "document_created_by",
    "exchange_rate",
)
_LINE = ("requested_delivery_date", "promised_delivery_date", "picking_list_comment", "despatch_note_comment")
_ADDRESS = ("delivery_address",)

Row = dict[str, Any]


class OrderBook:
    """The orders of one company. Locks are held here, not in the books: a restart frees them."""

    def __init__(self, company: SageCompany, records: SageRecords) -> None:
        self._company = company
        self._records = records
        self._locks: dict[int, int] = {}
        self._next_lock = 9_001
        self._highest_number: int | None = None

    # --- locks

    def lock(self, order_id: int) -> int:
        """What `$expand=is_to_lock` does. Raises PostingError when somebody else has the order open."""
        self._refuse_foreign_lock(order_id)
        if order_id not in self._locks:
            self._locks[order_id] = self._next_lock
            self._next_lock += 1
        return self._locks[order_id]

    def holds_lock(self, order_id: int) -> bool:
        return order_id in self._locks

    def _refuse_foreign_lock(self, order_id: int) -> None:
        user = self._records.switches.locked_orders.get(order_id)
        if user is not None:
            number = self._company["sop_orders"].by_key[order_id]["document_no"]
            raise PostingError(f"The sales order {number} is locked by user {user}.")

    def _unlock(self, order_id: int, lock_id: Any) -> None:
        if lock_id is not None and self._locks.get(order_id) == lock_id:
            del self._locks[order_id]

    # --- creating

    def check_new(self, body: Any) -> None:
        """Raises PostingError; changes nothing."""
        body = check_body("sop_orders", body)
        self._header(body)
        for position, line in enumerate(body.get("lines") or ()):
            self._line(line, f"lines[{position}]", None)

    def create(self, body: Row, now: datetime) -> Row:
        """Writes an order that was checked."""
        customer, number = self._header(body)
        orders = self._company["sop_orders"]
        is_draft = bool(body.get("is_editing")) or not body.get("lines")
        is_held = bool(customer.get("on_hold")) and not body.get("override_on_hold")
        order: Row = {
            "customer_id": customer["id"],
            "document_no": DRAFT_NUMBER if is_draft else number or self._next_number(),
            "document_date": midnight(now.date()),
            "document_status": DRAFT if is_draft else ON_HOLD if is_held else LIVE,
            "despatch_receipt_status": "EnumDocumentProcessStatusNone",
            "invoice_credit_status": "EnumDocumentProcessStatusNone",
            "cancelled_status": "EnumDocumentProcessStatusNone",
            "customer_type": body.get("customer_type") or "EnumCustomerTypeCredit",
            "customer_document_no": "",
            "currency_id": customer.get("currency_id") or (self._records.base_currency or {}).get("id", 0),
            "exchange_rate": Decimal("1.000000"),
            "is_draft": is_draft,
            "is_credit_limit_exceeded": False,
            "external_reference": "",
            "payment_with_order": False,
            "document_created_by": USER_NAME,
            "lines": [],
        }
        self._set_header(order, body)
        if number:
            self._highest_number = max(self._highest(), _digits(number))
        orders.append(order)
        for line in body.get("lines") or ():
            self._add_line(order, line, now)
        self._close(order, now)
        if not is_draft:
            order["date_time_created"] = stamp(now)
        return order

    def _header(self, body: Row) -> tuple[Row, str | None]:
        """The customer, and the number that was given where numbers are given."""
        if body.get("customer_id") is None:
            raise PostingError("SageNullFieldException: The property 'customer_id' is required.")
        customer = self._records.customer(body["customer_id"])
        number = None
        if not self._records.setting("sop_settings", "auto_generate_order_return_numbers", True):
            number = body.get("document_no")
            if not number:
                raise PostingError("SageNullFieldException: The property 'document_no' is required.")
            if self._company["sop_orders"].find("document_no", number) is not None:
                raise PostingError(f"The sales order number {number} already exists.")
        return customer, number

    def _next_number(self) -> str:
        self._highest_number = self._highest() + 1
        return f"{self._highest_number:010d}"

    def _highest(self) -> int:
        if self._highest_number is None:
            rows = self._company["sop_orders"].rows
            self._highest_number = max((_digits(row["document_no"]) for row in rows), default=0)
        return self._highest_number

    # --- amending

    def check_change(self, order_id: int, body: Any) -> None:
        """What refuses the whole amendment before a line is touched. Raises PostingError; changes nothing."""
        body = check_body("sop_orders", body)
        self._refuse_foreign_lock(order_id)
        lock_id = body.get("lock_id")
        if lock_id is not None and self._locks.get(order_id) != lock_id:
            raise PostingError(f"The lock {lock_id} is not held on this sales order.")
        order = self._company["sop_orders"].by_key[order_id]
        if body.get("lines") and order["document_status"] in CLOSED:
            raise PostingError(
                f"The sales order {order['document_no']} is complete or cancelled and cannot be amended."
            )
        left = {line["id"] for line in order.get("lines", ())}
        left -= {line.get("id") for line in body.get("lines") or () if line.get("is_to_delete")}
        if body.get("lines") and not left and all(line.get("id") is not None for line in body["lines"]):
            raise PostingError(f"The sales order {order['document_no']} must have at least one line.")
        if body.get("customer_id") not in (None, order["customer_id"]):
            raise PostingError("The customer of a sales order cannot be changed.")

    def change(self, order_id: int, body: Row, now: datetime) -> str | None:
        """Amends the order line by line. The first line that is refused ends it: what was done stays, and the refusal
        is returned.
        """
        order = self._own(order_id)
        self._set_header(order, body)
        refusal = None
        for position, line in enumerate(body.get("lines") or ()):
            try:
                self._change_line(order, line, f"lines[{position}]", now)
            except PostingError as error:
                refusal = str(error)
                break
        if refusal is None and not body.get("is_editing"):
            self._unlock(order_id, body.get("lock_id"))
            if order["is_draft"] and order["lines"]:
                order |= {"is_draft": False, "document_status": LIVE, "document_no": self._next_number()}
        self._close(order, now)
        return refusal

    def despatch(self, order_id: int, now: datetime) -> None:
        """What the warehouse does in the desktop client: all goods of the order leave together."""
        order = self._own(order_id)
        for line in order["lines"]:
            if line["line_type"] not in (CHARGE, COMMENT):
                line["despatch_receipt_quantity"] = line["line_quantity"]
        order["despatch_receipt_status"] = "EnumDocumentProcessStatusComplete"
        self._close(order, now)

    def _own(self, order_id: int) -> Row:
        order = self._company["sop_orders"].own(order_id)
        table = self._company["sop_order_lines"]
        order["lines"] = [table.own(line["id"]) for line in order.get("lines", ())]
        return order

    def _change_line(self, order: Row, line: Row, label: str, now: datetime) -> None:
        if line.get("id") is None:
            self._line(line, label, None)
            self._add_line(order, line, now)
            return
        held = next((one for one in order["lines"] if one["id"] == line["id"]), None)
        if held is None:
            raise PostingError(f"The line with id {line['id']} ('{label}') is not on this sales order.")
        is_moved = any(held.get(name, NIL) for name in ("despatch_receipt_quantity", "invoice_credit_quantity"))
        if is_moved:
            raise PostingError(f"The line {held['line_number']} has been despatched or invoiced and cannot be changed.")
        if line.get("is_to_delete"):
            self._delete_line(order, held, bool(line.get("create_cancelled_line")), now)
            return
        merged = {name: held.get(name) for name in ("line_type", "product_id", "warehouse_id", "code", "description")}
        merged |= {name: held.get(name) for name in ("line_quantity", "selling_unit_price", "tax_code_id")}
        merged |= {name: value for name, value in line.items() if value is not None}
        if merged["line_type"] != held["line_type"]:
            raise PostingError(f"The type of the line {held['line_number']} cannot be changed.")
        values = self._line(merged, label, held)
        self._allocate(held, NIL)
        held |= values
        self._allocate(held, self._wanted_allocation(held, line))
        self._company["sop_order_lines"].touch(held)

    def _delete_line(self, order: Row, held: Row, is_recorded: bool, now: datetime) -> None:
        self._allocate(held, NIL)
        order["lines"] = [line for line in order["lines"] if line["id"] != held["id"]]
        self._company["sop_order_lines"].remove(held["id"])
        if is_recorded and self._records.setting("sop_settings", "record_cancelled_order_lines", False):
            self._company["sop_cancelled_lines"].append(
                {
                    "sop_order_return_id": order["id"],
                    "item_code": held.get("code") or "",
                    "item_description": held.get("description") or "",
                    "cancelled_quantity": held.get("line_quantity", NIL),
                    "stock_unit_cancelled_quantity": held.get("line_quantity", NIL),
                    "cancelled_date": midnight(now.date()),
                    "user_name": USER_NAME,
                    "date_time_created": stamp(now),
                    "date_time_updated": stamp(now),
                }
            )

    # --- lines

    def _add_line(self, order: Row, line: Row, now: datetime) -> None:
        values = self._line(line, "lines", None)
        row = self._company["sop_order_lines"].append(
            {
                "sop_order_id": order["id"],
                "line_number": len(order["lines"]) + 1,
                "allocated_quantity": NIL,
                "despatch_receipt_quantity": NIL,
                "invoice_credit_quantity": NIL,
                "posted_invoice_credit_quantity": NIL,
                "allocation_status": "EnumLineStatusNone",
                "despatch_receipt_status": "EnumLineStatusNone",
                "invoice_credit_status": "EnumLineStatusNone",
                **values,
            }
        )
        order["lines"] = [*order["lines"], row]
        self._allocate(row, self._wanted_allocation(row, line))

    def _line(self, line: Row, label: str, held: Row | None) -> Row:
        """The stored values of a line. Raises PostingError."""
        readers: dict[str, Callable[[Row, str, Row | None], Row]] = {
            STANDARD: self._standard,
            FREE_TEXT: self._free_text,
            CHARGE: self._charge,
            COMMENT: self._comment,
        }
        kind = line.get("line_type")
        if kind not in readers:
            raise PostingError(f"The property '{label}.line_type' is not a line type.")
        values = {"line_type": kind, **readers[kind](line, label, held)}
        if self._records.setting("sop_settings", "amend_analysis_codes", True):
            values |= {name: value for name, value in line.items() if name.startswith("analysis_code_")}
        return values | {name: value for name, value in line.items() if name.startswith(_FREE_MEMBERS) or name in _LINE}

    def _standard(self, line: Row, label: str, held: Row | None) -> Row:
        for name in ("product_id", "line_quantity"):
            if line.get(name) is None:
                raise PostingError(f"SageNullFieldException: The property '{label}.{name}' is required.")
        product = self._company["products"].by_key.get(line["product_id"])
        if product is None:
            raise PostingError(f"The stock item with id {line['product_id']} ('{label}') does not exist.")
        is_inactive = product.get("product_status_type") not in (None, "EnumStockItemStatusTypeActive")
        if held is None and (is_inactive or product.get("allow_sales_order") is False):
            raise PostingError(f"The stock item {product['code']} is not allowed on sales orders.")
        warehouse_id = line.get("warehouse_id")
        if self._company["warehouses"].by_key.get(warehouse_id) is None:
            raise PostingError(f"The warehouse with id {warehouse_id} ('{label}') does not exist.")
        common = {
            "product_id": product["id"],
            "warehouse_id": warehouse_id,
            "code": product["code"],
            "description": line.get("description") or product.get("name") or "",
        }
        return common | self._priced(line, label, _quantity(line, label), product.get("tax_code_id"), "4100")

    def _free_text(self, line: Row, label: str, held: Row | None) -> Row:
        description = _description(line, label)
        common = {"product_id": 0, "warehouse_id": 0, "code": "", "description": description}
        return common | self._priced(line, label, _quantity(line, label), None, "4100")

    def _charge(self, line: Row, label: str, held: Row | None) -> Row:
        charge: Row = {}
        if line.get("code") and held is None:
            found = self._company["sop_additional_charges"].find("code", line["code"])
            if found is None:
                raise PostingError(f"The additional charge {line['code']} ('{label}') does not exist.")
            charge = found
        elif not line.get("code"):
            _description(line, label)
        common = {
            "product_id": 0,
            "warehouse_id": 0,
            "code": line.get("code") or "",
            "description": line.get("description") or charge.get("name") or "",
        }
        return common | self._priced(line, label, Decimal(1), charge.get("tax_code_id"), "4905")

    def _comment(self, line: Row, label: str, held: Row | None) -> Row:
        nothing = {"product_id": 0, "warehouse_id": 0, "tax_code_id": 0, "line_quantity": NIL}
        return nothing | {"code": "", "description": _description(line, label), "line_total_value": ZERO}

    def _priced(self, line: Row, label: str, quantity: Decimal, tax_code_id: int | None, nominal: str) -> Row:
        if line.get("selling_unit_price") is not None:
            permissions = self._company["current_user_sop_user_permissions"].rows
            if permissions and not permissions[0].get("override_prices_discounts", True):
                raise PostingError(f"The user is not permitted to change prices ('{label}.selling_unit_price').")
        price = Decimal(line.get("selling_unit_price") or 0).quantize(NIL)
        tax_code = self._records.tax_code(line.get("tax_code_id") or tax_code_id)
        rate = Decimal(tax_code.get("tax_rate") or 0) / 100
        total = (quantity * price).quantize(ZERO, ROUND_HALF_UP)
        if self._records.setting("sop_settings", "are_prices_tax_inclusive", False):
            tax = (total - total / (1 + rate)).quantize(ZERO, ROUND_HALF_UP)
            total -= tax
        else:
            tax = (total * rate).quantize(ZERO, ROUND_HALF_UP)
        code = nominal
        if line.get("nominal_reference") and self._records.setting("sop_settings", "amend_nominal_codes", True):
            code = line["nominal_reference"]
        account = self._records.nominal(
            code, line.get("nominal_cost_centre") or "", line.get("nominal_department") or ""
        )
        return {
            "line_quantity": quantity.quantize(NIL),
            "selling_unit_price": price,
            "unit_discount_percent": ZERO,
            "unit_discount_value": NIL,
            "line_total_value": total,
            "line_tax_value": tax,
            "tax_code_id": tax_code["id"],
            "nominal_reference": account["reference"],
            "nominal_cost_centre": account.get("cost_centre_code") or "",
            "nominal_department": account.get("department_code") or "",
        }

    # --- stock

    def _wanted_allocation(self, row: Row, line: Row) -> Decimal:
        if row["line_type"] != STANDARD:
            return NIL
        if line.get("to_allocate_quantity") is not None:
            return Decimal(line["to_allocate_quantity"]).quantize(NIL)
        is_on_entry = self._records.setting("sop_settings", "allocate_stock_on_order_entry", False)
        return row["line_quantity"] if is_on_entry else NIL  # type: ignore[no-any-return]

    def _allocate(self, line: Row, wanted: Decimal) -> None:
        """Reserves stock for a line, as much as there is; with nothing wanted it gives back what it had."""
        if line["line_type"] != STANDARD:
            return
        table = self._company["warehouse_holdings"]
        place = (line["product_id"], line["warehouse_id"])
        key = next((row["id"] for row in table.rows if (row["product_id"], row["warehouse_id"]) == place), None)
        if key is None:
            return
        holding = table.own(key)
        had = Decimal(line.get("allocated_quantity") or 0)
        free = Decimal(holding["free_stock_available"]) + had
        allocated = max(min(wanted, free), NIL)
        change = allocated - had
        for name in ("quantity_allocated_sop", "quantity_allocated"):
            holding[name] = Decimal(holding[name]) + change
        for name in ("free_stock_available", "free_stock_available_less_reserved"):
            holding[name] = Decimal(holding[name]) - change
        product = self._company["products"].own(line["product_id"])
        product["free_stock_quantity"] = Decimal(product["free_stock_quantity"]) - change
        line["allocated_quantity"] = allocated
        full = allocated and allocated == line["line_quantity"]
        line["allocation_status"] = (
            "EnumLineStatusFully" if full else "EnumLineStatusPartially" if allocated else "EnumLineStatusNone"
        )
        table.touch(holding)
        self._company["products"].touch(product)

    # --- the order as a whole

    def _set_header(self, order: Row, body: Row) -> None:
        order |= {name: body[name] for name in (*_HEADER, *_ADDRESS) if body.get(name) is not None}
        order |= {name: value for name, value in body.items() if name.startswith(_FREE_MEMBERS)}
        if self._records.setting("sop_settings", "amend_header_analysis_codes", True):
            order |= {name: value for name, value in body.items() if name.startswith("analysis_code_")}

    def _close(self, order: Row, now: datetime) -> None:
        """Computes the totals and shows the change."""
        lines = order["lines"]
        goods = sum((line["line_total_value"] for line in lines if line["line_type"] != CHARGE), ZERO)
        charges = [line for line in lines if line["line_type"] == CHARGE]
        charge, charge_tax = (
            sum((line.get(name, ZERO) for line in charges), ZERO) for name in ("line_total_value", "line_tax_value")
        )
        tax = sum((line.get("line_tax_value", ZERO) for line in lines), ZERO)
        order |= {
            "subtotal_goods_value": goods,
            "subtotal_charge_net_value": charge,
            "subtotal_charge_tax_value": charge_tax,
            "subtotal_discount_value": ZERO,
            "total_net_value": goods + charge,
            "total_tax_value": tax,
            "total_gross_value": goods + charge + tax,
        }
        if not order["is_draft"]:
            # The answer to a draft carries no stamps.
            order["date_time_updated"] = stamp(now)
        self._company["sop_orders"].touch(order)

    def shown(self, order: Row) -> Row:
        """The answer to a write: the whole order, objects and lines included."""
        children = ("customer", "currency", "lines")
        known = contract()["resources"]["sop_orders"]["children"]
        return self._company.expanded("sop_orders", order, tuple(name for name in children if name in known))


def _digits(number: str) -> int:
    """A number that is not only digits was given by a person; counting goes on past it."""
    return int(number) if number.isdigit() else 0


def _quantity(line: Row, label: str) -> Decimal:
    if line.get("line_quantity") is None:
        raise PostingError(f"SageNullFieldException: The property '{label}.line_quantity' is required.")
    quantity = Decimal(line["line_quantity"])
    if quantity <= 0:
        raise PostingError(f"The value of '{label}.line_quantity' must be greater than zero.")
    return quantity


def _description(line: Row, label: str) -> str:
    if not line.get("description"):
        raise PostingError(f"SageNullFieldException: The property '{label}.description' is required.")
    return str(line["description"])
