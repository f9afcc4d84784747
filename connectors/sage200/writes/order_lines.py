"""The lines of a sales order: as they are sent, as they are held, and what must change to get from one to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.sage200.settings import SopSettings
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.customers import analysis
from connectors.sage200.writes.sending import Unfit

PRICE = Decimal("0.00001")
TYPES = {
    "STANDARD": "EnumLineTypeStandard",
    "FREE_TEXT": "EnumLineTypeFreeText",
    "CHARGE": "EnumLineTypeCharge",
    "COMMENT": "EnumLineTypeComment",
}
MEASURES = {"line_quantity": "quantity", "selling_unit_price": "price", "tax_code_id": "tax code id"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WantedLine:
    """`body` is what Sage is sent; `label` says to a person which line it is."""

    body: Mapping[str, Any]
    label: str

    @property
    def is_comment(self) -> bool:
        return bool(self.body["line_type"] == TYPES["COMMENT"])

    def fits(self, row: Row) -> bool:
        """Whether a line of the order is this one, whatever its quantity and price."""
        return _identity(self.body) == _identity(row)

    def differences(self, row: Row) -> list[str]:
        found = []
        for member, name in MEASURES.items():
            wanted = self.body.get(member)
            if wanted is None or (member == "line_quantity" and self.body["line_type"] == TYPES["CHARGE"]):
                continue
            held = Decimal(str(row.get(member) or 0))
            if held != Decimal(str(wanted)):
                found.append(f"{self.label}: {name} is {held}, wanted {wanted}")
        for member, wanted in self.body.items():
            if member.startswith("analysis_code_") and (text := str(row.get(member) or "")) != wanted:
                found.append(f"{self.label}: {member} is {text or 'empty'}, wanted {wanted}")
        return found


def wanted_lines(order: d.SalesOrder, codes: Codes, sop: SopSettings) -> list[WantedLine]:
    """Raises Unfit, which names the line and the field."""
    if not order.lines:
        raise Unfit("lines: an order without lines stays a draft in Sage")
    return [_wanted(order, line, f"lines[{n}]", codes, sop) for n, line in enumerate(order.lines)]


def _wanted(order: d.SalesOrder, line: d.OrderLine, field: str, codes: Codes, sop: SopSettings) -> WantedLine:
    body: dict[str, Any] = {"line_type": TYPES[line.line_type]}
    label = f"line {field.removeprefix('lines')} "
    if line.line_type == "COMMENT":
        return WantedLine(body | {"description": _description(line, field)}, label + "comment")
    tax_code: Mapping[str, Any] | None = None
    if line.line_type == "STANDARD":
        if not line.item_code:
            raise Unfit(f"{field}.item_code is missing")
        product = codes.product(line.item_code, f"{field}.item_code")
        name = line.location_name or order.location_name
        if not name:
            raise Unfit(f"{field}.location_name is missing: Sage needs a warehouse on every stock line")
        warehouse = codes.warehouse(name, f"{field}.location_name")
        body |= {"product_id": product["id"], "warehouse_id": warehouse["id"]}
        label += line.item_code
    elif line.line_type == "CHARGE" and line.charge_code:
        body["code"] = line.charge_code
        if line.narrative:
            body["description"] = d.shortened(line.narrative)
        label += line.charge_code
    else:
        body["description"] = _description(line, field)
        label += line.line_type.lower()
    if line.line_type != "CHARGE":
        quantity = d.number(line.quantity, f"{field}.quantity", 5)
        if quantity <= 0:
            raise Unfit(f"{field}.quantity is not positive")
        body["line_quantity"] = quantity
    if line.tax_code is not None:
        tax_code = codes.tax_code(line.tax_code, f"{field}.tax_code")
        body["tax_code_id"] = tax_code["id"]
    if line.unit_price is not None:
        body["selling_unit_price"] = _price(line, field, tax_code, sop)
    if (account := line.account) is not None:
        _honoured(sop.amend_nominal_codes, "amend_nominal_codes", f"{field}.account_code")
        codes.nominal(account, f"{field}.account_code")
        body["nominal_reference"] = account.code
        body["nominal_cost_centre"], body["nominal_department"] = account.cost_centre, account.department
    if line.analysis_codes:
        _honoured(sop.amend_analysis_codes, "amend_analysis_codes", f"{field}.analysis_codes")
        body |= analysis(line.analysis_codes, f"{field}.analysis_codes")
    return WantedLine(body, label)


def _honoured(is_on: bool | None, setting: str, field: str) -> None:
    """Sage drops what its settings do not allow, without a word."""
    if is_on is False:
        raise Unfit(f"{field}: Sage would ignore it (sop_settings.{setting} is off): switch it on in Sage, or leave it")


def _description(line: d.OrderLine, field: str) -> str:
    if not line.narrative:
        raise Unfit(f"{field}.narrative is missing: a line of type {line.line_type} needs a description")
    return d.shortened(line.narrative)


def _price(line: d.OrderLine, field: str, tax_code: Mapping[str, Any] | None, sop: SopSettings) -> Decimal:
    """The unit price as this company takes prices: without tax, unless its settings say otherwise."""
    net = d.number(line.unit_price or "0", f"{field}.unit_price", 5)
    if not sop.are_prices_tax_inclusive:
        return net
    if tax_code is None:
        raise Unfit(f"{field}.tax_code is missing: prices include tax in this company (sop_settings)")
    rate = Decimal(str(tax_code.get("tax_rate") or 0)) / 100
    return (net * (1 + rate)).quantize(PRICE, ROUND_HALF_UP)


def _identity(line: Row) -> tuple[Any, ...]:
    kind = line.get("line_type")
    if kind == TYPES["STANDARD"]:
        return kind, line.get("product_id"), line.get("warehouse_id")
    return kind, line.get("code") or line.get("description")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Wanted lines beside the order's own. A pair without a row is missing, a row without a wish is too many."""

    pairs: Sequence[tuple[WantedLine, Row | None]]
    others: Sequence[Row]

    def differences(self) -> list[str]:
        """In what an order is not what is wanted. Comments carry no money and are not compared."""
        found = []
        for wanted, row in self.pairs:
            if row is not None:
                found += wanted.differences(row)
            elif not wanted.is_comment:
                found.append(f"{wanted.label}: is missing")
        return found + [f"line {row.get('line_number')} {_name(row)}: is not wanted" for row in self.others]

    def changes(self) -> list[dict[str, Any]]:
        """The lines of an amendment. Raises Unfit for a line that has left the house already."""
        found: list[dict[str, Any]] = []
        for wanted, row in self.pairs:
            if row is None:
                if not wanted.is_comment:
                    found.append(dict(wanted.body))
            elif wanted.differences(row):
                refuse_moved(row)
                found.append({"id": row["id"], **wanted.body})
        for row in self.others:
            refuse_moved(row)
            found.append({"id": row["id"], "is_to_delete": True, "create_cancelled_line": True})
        return found


def pair(wanted: Sequence[WantedLine], rows: Sequence[Row]) -> Pairing:
    """Each wanted line with the first line of the order that is the same thing, equal ones preferred."""
    left = [row for row in rows if row.get("line_type") != TYPES["COMMENT"]]
    chosen: dict[int, Row] = {}
    for is_exact in (True, False):
        for position, line in enumerate(wanted):
            if position in chosen:
                continue
            fitting = next((r for r in left if line.fits(r) and not (is_exact and line.differences(r))), None)
            if fitting is not None:
                chosen[position] = fitting
                left = [row for row in left if row is not fitting]
    return Pairing([(line, chosen.get(position)) for position, line in enumerate(wanted)], left)


def refuse_moved(row: Row) -> None:
    """Raises Unfit for a line of which something was despatched or invoiced."""
    for member, word in (("despatch_receipt_quantity", "despatched"), ("invoice_credit_quantity", "invoiced")):
        if Decimal(str(row.get(member) or 0)) != 0:
            raise Unfit(f"line {row.get('line_number')} {_name(row)} is {word} already and cannot be changed")


def _name(row: Row) -> str:
    return str(row.get("code") or row.get("description") or "")
