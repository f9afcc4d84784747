"""The export of transaction lines: TL03 asks for it, TL04 follows it, TL05 fetches its files."""

from starlette.responses import Response

from sandbox.mirakl.calls import DAY, Call, Endpoint
from sandbox.mirakl.exports import FileForm, chunk_limits, file_handler, start_export, status_handler
from sandbox.mirakl.paging import Filters
from sandbox.mirakl.reads_money import ACCOUNTANCY, LINE_CHOICES, LINE_TIMES, line_bounds, line_tests
from sandbox.mirakl.values import Body

# The schema describes a single line, the example wraps lines in `data`: the example is served.
FORMS = {
    "JSON": FileForm("json", "application/json", lambda records: b'{"data":[%s]}' % b",".join(records)),
    "NDJSON": FileForm("ndjson", "application/x-ndjson", lambda records: b"".join(row + b"\n" for row in records)),
}
FILES = "/api/sellerpayment/transactions_logs/export/async/file"
DOMAINS = frozenset({"PRODUCT", "SERVICE"})


async def _start(call: Call) -> Response:
    body = await call.body()
    form = FORMS[body.one("format", frozenset(FORMS), "JSON") or "JSON"]
    limits = chunk_limits(call, body, largest_megabytes=1024, default_megabytes=512)
    domains = body.many("shop_domain", DOMAINS)
    filters = {name: frozenset(values) for name, values in _filters(call, body).items() if values}
    tests = line_tests(filters)
    index = call.shop.line_index
    windows = [(index.column(sort), bounds) for sort, bounds in line_bounds(filters).items() if bounds != (None, None)]
    lines = call.shop.lines
    chosen = [
        lines[position].body
        for position in index.positions("dateCreated")
        if all(
            (low is None or column[position] >= low) and (high is None or column[position] <= high)
            for column, (low, high) in windows
        )
        and all(test(lines[position]) for test in tests)
    ]
    if domains and "PRODUCT" not in domains:
        chosen = []  # nothing here sells services
    question = (form.ending, tuple(sorted(filters.items())))
    return start_export(call, question, chosen, limits, form)


def _filters(call: Call, body: Body) -> Filters:
    filters: Filters = {name: body.many(name, allowed) for name, allowed in LINE_CHOICES.items()}
    for name in ("accounting_document_number", "accounting_document_id"):
        value = body.text(name)
        filters[name] = (value,) if value else ()
    voucher = body.text("payment_voucher_number")
    if voucher:
        # Lines of a payment voucher are the lines of its cycle.
        cycles = [cycle["id"] for cycle in call.shop.cycles if cycle.get("payment_voucher_number") == voucher]
        asked = filters["seller_billing_cycle_id"]
        filters["seller_billing_cycle_id"] = tuple(id_ for id_ in cycles if not asked or id_ in asked) or ("-",)
    shop_id = body.whole("shop_id", 0, 1, None)
    if call.is_operator and shop_id:
        filters["shop"] = (str(shop_id),)
    instants = {name: body.time(name) for name in LINE_TIMES}
    return filters | {name: (str(value),) for name, value in instants.items() if value is not None}


READS = (
    Endpoint("TL03", "POST", "/api/sellerpayment/transactions_logs/async", _start, ACCOUNTANCY, limits=((1, DAY),)),
    Endpoint(
        "TL04",
        "GET",
        "/api/sellerpayment/transactions_logs/async/status/{tracking_id}",
        status_handler("TL03", FILES, tells_errors=True),
        ACCOUNTANCY,
        limits=((1, 10.0),),
    ),
    Endpoint("TL05", "GET", FILES + "/{tracking_id}", file_handler("TL03"), ACCOUNTANCY),
)
