"""Reads of money: transaction lines (TL02), billing cycles (SBC11), documents (IV01)."""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.mirakl.calls import DAY, HOUR, MINUTE, Call, Endpoint
from sandbox.mirakl.paging import Filters, bound, is_descending, offset_page, question_of, seek_response, times
from sandbox.mirakl_shop import TransactionLine

PAYMENT_STATES = frozenset({"PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE"})
PAY_OUT_STATES = frozenset({"TO_PAY", "PAID", "FAILED"})
INVOICE_TYPES = frozenset({"ALL", "AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"})
INVOICE_PAYMENT_STATES = frozenset({"PENDING", "PAID", "FAILED"})


async def _invoices(call: Call) -> Response:
    call.one("sort", frozenset({"dateCreated"}))
    wanted = call.one("type", INVOICE_TYPES, "AUTO_INVOICE")
    start, end = call.time("start_date"), call.time("end_date")
    payment = call.one("payment_status", INVOICE_PAYMENT_STATES)
    currency = call.text("currency")
    ids = frozenset(call.many("invoice_id"))
    cycles = frozenset(call.many("seller_billing_cycle_id"))
    psps = frozenset(call.many("pay_out_psp_codes"))
    users = frozenset(call.many("issuing_user_types", frozenset({"OPERATOR", "BATCH", "PARTNER"})))
    invoices = [
        invoice
        for invoice in call.shop.invoices
        if (wanted == "ALL" or invoice.get("type") == wanted)
        and (start is None or milliseconds(invoice["date_created"]) >= start)
        and (end is None or milliseconds(invoice["date_created"]) <= end)
        and (payment is None or (invoice.get("payment") or {}).get("state") == payment)
        and (not currency or invoice.get("currency_iso_code") == currency)
        and (not ids or str(invoice.get("invoice_id")) in ids)
        and (not cycles or invoice.get("seller_billing_cycle_id") in cycles)
        and (not psps or invoice.get("pay_out_psp_code") in psps)
        and (not users or (invoice.get("issuing_user") or {}).get("type") in users)
    ]
    if is_descending(call):
        invoices.reverse()
    return offset_page(
        call,
        "invoices",
        len(invoices),
        lambda first, last: [jsonio.encode(invoice) for invoice in invoices[first:last]],
    )


async def _transaction_lines(call: Call) -> Response:
    question, start = question_of(call, ("dateCreated", "lastUpdated"), 2000, lambda: _line_filters(call))
    shop = call.account.shops[question.shop_id]
    filters = {name: frozenset(values) for name, values in question.filters}
    index = shop.line_index
    for name, positions in (
        ("seller_billing_cycle_id", shop.lines_by_cycle),
        ("order_id", shop.lines_by_order),
    ):
        if name in filters:
            index = index.subset(sorted({p for key in filters[name] for p in positions.get(key, ())}))
            break
    tests = _line_tests(filters)
    lines = shop.lines

    def matches(position: int) -> bool:
        line = lines[position]
        return all(test(line) for test in tests)

    bounds = {
        "dateCreated": (bound(filters, "date_created_from"), bound(filters, "date_created_to")),
        "lastUpdated": (bound(filters, "last_updated_from"), None),
    }
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
    return seek_response([lines[p].body for p in page.positions], question, page, call.account.salt)


def _line_filters(call: Call) -> Filters:
    filters: Filters = {
        name: call.many(name)
        for name in (
            "seller_billing_cycle_id",
            "transaction_type",
            "order_id",
            "order_line_id",
            "order_reference_for_customer",
            "order_reference_for_seller",
            "other_reference",
            "pay_out_psp_codes",
        )
    }
    filters["payment_state"] = call.many("payment_state", PAYMENT_STATES)
    filters["shop_model"] = call.many("shop_model", frozenset({"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"}))
    for name in ("accounting_document_number", "accounting_document_id"):
        value = call.text(name)
        filters[name] = (value,) if value else ()
    return filters | times(
        call,
        "date_created_from",
        "date_created_to",
        "transaction_date_from",
        "transaction_date_to",
        "last_updated_from",
    )


async def _cycles(call: Call) -> Response:
    def filters() -> Filters:
        return {
            "id": call.many("id"),
            "currency": call.many("currency"),
            "pay_out_psp_code": call.many("pay_out_psp_code"),
            "pay_out_state": call.many("pay_out_state", PAY_OUT_STATES),
        } | times(call, "start_date", "end_date")

    question, start = question_of(call, ("dateCreated",), 1000, filters)
    shop = call.account.shops[question.shop_id]
    chosen = {name: frozenset(values) for name, values in question.filters}
    cycles = shop.cycles

    def matches(position: int) -> bool:
        cycle = cycles[position]
        values = {
            "id": cycle["id"],
            "currency": cycle.get("currency_iso_code"),
            "pay_out_psp_code": cycle.get("pay_out_psp_code"),
            "pay_out_state": (cycle.get("pay_out") or {}).get("state"),
        }
        return all(value in chosen[name] for name, value in values.items() if name in chosen)

    bounds = {"dateCreated": (bound(chosen, "start_date"), bound(chosen, "end_date"))}
    page = shop.cycle_index.page(question, start, matches, bounds)
    return seek_response([shop.cycle_bodies[p] for p in page.positions], question, page, call.account.salt)


def _is_in(read: Callable[[TransactionLine], str | None], values: frozenset[str]) -> Callable[[TransactionLine], bool]:
    return lambda line: read(line) in values


def _line_tests(filters: Mapping[str, frozenset[str]]) -> list[Callable[[TransactionLine], bool]]:
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


READS = (
    Endpoint(
        "TL02",
        "GET",
        "/api/sellerpayment/transactions_logs",
        _transaction_lines,
        roles=frozenset({"ROLE_SHOP_ACCOUNTANCY"}),
        limits=((20, MINUTE), (60, HOUR)),
    ),
    Endpoint("SBC11", "GET", "/api/seller-billing-cycles", _cycles, limits=((1, DAY),), is_first_page_counted=True),
    Endpoint("IV01", "GET", "/api/invoices", _invoices, limits=((1, DAY),), is_first_page_counted=True),
)
