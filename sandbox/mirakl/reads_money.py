"""Reads of money: transaction lines (TL02), billing cycles (SBC11), documents (IV01, IV02)."""

from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.mirakl.calls import DAY, HOUR, MINUTE, Call, Endpoint, admin_or
from sandbox.mirakl.paging import Filters, bound, is_descending, offset_page, question_of, seek_response, times
from sandbox.mirakl.transaction_types import TRANSACTION_TYPES
from sandbox.mirakl.values import whole_number
from sandbox.mirakl_shop import MiraklShop, RuleError, TransactionLine

PAYMENT_STATES = frozenset({"PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE"})
PAY_OUT_STATES = frozenset({"TO_PAY", "PAID", "FAILED"})
INVOICE_TYPES = frozenset({"ALL", "AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"})
INVOICE_PAYMENT_STATES = frozenset({"PENDING", "PAID", "FAILED"})
INVOICE_STATES = frozenset({"DRAFT", "GENERATED", "COMPLETE"})
ISSUERS = frozenset({"OPERATOR", "BATCH", "PARTNER"})
PSP_CODES = frozenset({"NOT_SPECIFIED", "MANGOPAY", "MIRAKL_PAYOUT", "OPERATOR"})
SHOP_MODELS = frozenset({"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"})
ACCOUNTANCY = frozenset({"ROLE_SHOP_ACCOUNTANCY", "ROLE_PARTNER_TRANSACTION_LOG_READ"})

# The list filters of TL02 and TL03, and the values that the platform knows for them.
LINE_CHOICES: dict[str, frozenset[str] | None] = {
    "seller_billing_cycle_id": None,
    "transaction_type": TRANSACTION_TYPES,
    "order_id": None,
    "order_line_id": None,
    "order_reference_for_customer": None,
    "order_reference_for_seller": None,
    "other_reference": None,
    "pay_out_psp_codes": PSP_CODES,
    "payment_state": PAYMENT_STATES,
    "shop_model": SHOP_MODELS,
}
LINE_TIMES = (
    "date_created_from",
    "date_created_to",
    "transaction_date_from",
    "transaction_date_to",
    "last_updated_from",
)


async def _transaction_lines(call: Call) -> Response:
    question, start = question_of(call, ("dateCreated", "lastUpdated"), 2000, lambda: _line_filters(call))
    shop = call.shop_of(question)
    filters = {name: frozenset(values) for name, values in question.filters}
    index = shop.line_index
    if (candidates := _candidates(shop, filters)) is not None:
        index = index.subset(candidates)
    tests = line_tests(filters)
    lines = shop.lines

    def matches(position: int) -> bool:
        line = lines[position]
        return all(test(line) for test in tests)

    bounds = line_bounds(filters)
    other = {sort: window for sort, window in bounds.items() if sort != question.sort and window != (None, None)}
    test = None
    if tests or other:
        ranks = {sort: shop.line_index.column(sort) for sort in other}

        def test(position: int) -> bool:
            return all(
                (low is None or ranks[sort][position] >= low) and (high is None or ranks[sort][position] <= high)
                for sort, (low, high) in other.items()
            ) and matches(position)

    page = index.page(question, start, test, bounds)
    bodies = [lines[position].body for position in page.positions]
    return seek_response(bodies, question, page.following, page.preceding, call.account.salt)


def _candidates(shop: MiraklShop, filters: Mapping[str, frozenset[str]]) -> list[int] | None:
    """The positions that a filter with an index leaves; None when no such filter is set."""
    indexes = {"seller_billing_cycle_id": shop.lines_by_cycle, "order_id": shop.lines_by_order}
    for name, positions in indexes.items():
        if name in filters:
            return sorted({position for key in filters[name] for position in positions.get(key, ())})
    return None


def _line_filters(call: Call) -> Filters:
    filters: Filters = {
        name: call.many(name, allowed, "EITHER" if name == "seller_billing_cycle_id" else "REPEATED")
        for name, allowed in LINE_CHOICES.items()
    }
    singles = ["accounting_document_number", "accounting_document_id"]
    if call.is_operator:
        filters["shop"] = call.query.whole_numbers("shop", "EITHER")
    for name in singles:
        value = call.text(name)
        filters[name] = (value,) if value else ()
    return filters | times(call, *LINE_TIMES)


def line_bounds(filters: Mapping[str, frozenset[str]]) -> dict[str, tuple[int | None, int | None]]:
    """The windows on the two columns that lines are sorted by."""
    return {
        "dateCreated": (bound(filters, "date_created_from"), bound(filters, "date_created_to")),
        "lastUpdated": (bound(filters, "last_updated_from"), None),
    }


def _is_in(read: Callable[[TransactionLine], str | None], values: frozenset[str]) -> Callable[[TransactionLine], bool]:
    return lambda line: read(line) in values


def line_tests(filters: Mapping[str, frozenset[str]]) -> list[Callable[[TransactionLine], bool]]:
    """One test per filter that is set and is no window on a sorted column."""
    columns: dict[str, Callable[[TransactionLine], str | None]] = {
        "seller_billing_cycle_id": lambda line: line.cycle_id,
        "transaction_type": lambda line: line.type,
        "order_id": lambda line: line.order_id,
        "order_line_id": lambda line: line.order_line_id,
        "order_reference_for_customer": lambda line: line.customer_reference,
        "order_reference_for_seller": lambda line: line.seller_reference,
        "pay_out_psp_codes": lambda line: line.psp,
        "payment_state": lambda line: line.payment_state,
        "shop_model": lambda line: line.model,
        "shop": lambda line: line.shop_id,
        "accounting_document_number": lambda line: line.document_number,
        "accounting_document_id": lambda line: line.document_id,
    }
    tests = [_is_in(read, filters[name]) for name, read in columns.items() if name in filters]
    if "other_reference" in filters:
        # References of one-off items and the like; no line of these worlds carries any.
        tests.append(lambda _: False)
    low, high = bound(filters, "transaction_date_from"), bound(filters, "transaction_date_to")
    if low is not None:
        tests.append(lambda line: line.transacted is not None and line.transacted >= low)
    if high is not None:
        tests.append(lambda line: line.transacted is not None and line.transacted <= high)
    return tests


async def _cycles(call: Call) -> Response:
    def filters() -> Filters:
        operator = {"payment_voucher_number": call.many("payment_voucher_number")} if call.is_operator else {}
        shop = call.query.whole_numbers("shop_id") if call.is_operator else ()
        return {
            "id": call.many("id"),
            "currency": call.many("currency"),
            "pay_out_psp_code": call.many("pay_out_psp_code", PSP_CODES),
            "pay_out_state": call.many("pay_out_state", PAY_OUT_STATES),
            "shop_id": shop,
            **operator,
            **times(call, "start_date", "end_date"),
        }

    question, start = question_of(call, ("dateCreated",), 1000, filters)
    shop = call.shop_of(question)
    chosen = {name: frozenset(values) for name, values in question.filters}
    cycles = shop.cycles

    def matches(position: int) -> bool:
        cycle = cycles[position]
        values = {
            "id": cycle["id"],
            "currency": cycle.get("currency_iso_code"),
            "pay_out_psp_code": cycle.get("pay_out_psp_code"),
            "pay_out_state": (cycle.get("pay_out") or {}).get("state"),
            "payment_voucher_number": cycle.get("payment_voucher_number"),
            "shop_id": str((cycle.get("shop") or {}).get("shop_id")),
        }
        return all(value in chosen[name] for name, value in values.items() if name in chosen)

    bounds = {"dateCreated": (bound(chosen, "start_date"), bound(chosen, "end_date"))}
    page = shop.cycle_index.page(question, start, matches, bounds)
    bodies = [shop.cycle_bodies[position] for position in page.positions]
    return seek_response(bodies, question, page.following, page.preceding, call.account.salt)


async def _invoices(call: Call) -> Response:
    call.one("sort", frozenset({"dateCreated"}))
    wanted = call.one("type", INVOICE_TYPES, "AUTO_INVOICE")
    start, end = call.time("start_date"), call.time("end_date")
    payment = call.one("payment_status", INVOICE_PAYMENT_STATES)
    currency = call.text("currency")
    choices: list[tuple[Sequence[str], Callable[[Mapping[str, object]], object]]] = [
        (call.query.whole_numbers("invoice_id", "EITHER"), lambda row: str(row.get("invoice_id"))),
        (call.many("seller_billing_cycle_id", form="EITHER"), lambda row: row.get("seller_billing_cycle_id")),
        (call.many("pay_out_psp_codes", PSP_CODES, "EITHER"), lambda row: row.get("pay_out_psp_code")),
        (call.many("issuing_user_types", ISSUERS, "EITHER"), lambda row: _part(row, "issuing_user", "type")),
    ]
    if call.is_operator:
        choices += [
            (call.query.whole_numbers("shop"), lambda row: str(row.get("shop_id"))),
            (call.many("shop_model", SHOP_MODELS), lambda row: row.get("shop_model")),
            (_single(call.text("shop_operator_internal_id")), lambda row: row.get("shop_operator_internal_id")),
            (_single(call.text("payment_voucher_number")), lambda row: row.get("payment_voucher_number")),
            (call.many("states", INVOICE_STATES) or ("GENERATED", "COMPLETE"), lambda row: row.get("state")),
        ]
    invoices = [
        invoice
        for invoice in call.shop.invoices
        if (wanted == "ALL" or invoice.get("type") == wanted)
        and (start is None or milliseconds(invoice["date_created"]) >= start)
        and (end is None or milliseconds(invoice["date_created"]) <= end)
        and (payment is None or _part(invoice, "payment", "state") == payment)
        and (not currency or invoice.get("currency_iso_code") == currency)
        and all(not values or read(invoice) in values for values, read in choices)
    ]
    if is_descending(call):
        invoices.reverse()
    return offset_page(
        call,
        "invoices",
        len(invoices),
        lambda first, last: [jsonio.encode(invoice) for invoice in invoices[first:last]],
    )


def _part(record: Mapping[str, object], name: str, part: str) -> object:
    inner = record.get(name)
    return inner.get(part) if isinstance(inner, Mapping) else None


def _single(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


async def _invoice_file(call: Call) -> Response:
    number = whole_number("accounting_document_id", call.request.path_params["accounting_document_id"])
    found = next((row for row in call.shop.invoices if row.get("invoice_id") == number), None)
    content = call.shop.world.invoice_files.get(found["id"]) if found else None
    if content is None:
        raise RuleError(404, "ACCOUNTING_DOCUMENT_NOT_FOUND", f"Accounting document '{number}' not found")
    name = f'attachment; filename="{number}.pdf"'
    return Response(content, media_type="application/octet-stream", headers={"Content-Disposition": name})


READS = (
    Endpoint(
        "TL02",
        "GET",
        "/api/sellerpayment/transactions_logs",
        _transaction_lines,
        ACCOUNTANCY,
        limits=((20, MINUTE), (60, HOUR)),
    ),
    Endpoint(
        "SBC11",
        "GET",
        "/api/seller-billing-cycles",
        _cycles,
        admin_or("SELLER_BILLING_CYCLE_READ", "ACCOUNTING_DOCUMENT_READ"),
        limits=((1, DAY),),
        is_first_page_counted=True,
    ),
    Endpoint(
        "IV01",
        "GET",
        "/api/invoices",
        _invoices,
        admin_or("ACCOUNTING_DOCUMENT_READ", "OWN_ACCOUNTING_DOCUMENT_READ"),
        limits=((1, DAY),),
        is_first_page_counted=True,
    ),
    Endpoint(
        "IV02",
        "GET",
        "/api/invoices/{accounting_document_id}",
        _invoice_file,
        admin_or("ACCOUNTING_DOCUMENT_READ", "OWN_ACCOUNTING_DOCUMENT_READ"),
    ),
)
