"""The export of orders: OR13 asks for it, OR14 follows it, OR15 fetches its files."""

from starlette.responses import Response

from sandbox.mirakl.calls import DAY, MINUTE, Call, Endpoint, admin_or
from sandbox.mirakl.exports import FileForm, chunk_limits, file_handler, running_export, start_export, status_handler
from sandbox.mirakl.limits import take
from sandbox.mirakl.reads_orders import (
    ORDER_STATES,
    REFUND_STATES,
    TAX_MODES,
    OrderFilter,
    Range,
    check_refund_range,
    moved_back,
    order_bodies,
)
from sandbox.mirakl.values import BadParameter, Body
from sandbox.mirakl_shop import RuleError

FORM = FileForm("json", "application/json", lambda records: b'{"orders":[%s]}' % b",".join(records))
FILES = "/api/orders/async-export/file"
LONGEST_CENTER_CODE = 100


async def _start(call: Call) -> Response:
    body = await call.body()
    created, updated = _range(body, "start_date", "end_date"), _range(body, "start_update_date", "end_update_date")
    if created == updated == (None, None):
        raise BadParameter("start_date", "at least one of the creation and update date ranges must be given")
    center = body.text("fulfillment_center_codes")
    if center and len(center) > LONGEST_CENTER_CODE:
        raise BadParameter("fulfillment_center_codes", f"longer than {LONGEST_CENTER_CODE} characters")
    refund_states = body.many("refund_state_codes", REFUND_STATES) if call.is_operator else ()
    if refund_states:
        check_refund_range("refund_state_codes", updated)
    asked = OrderFilter(
        states=frozenset(body.many("order_state_codes", ORDER_STATES)),
        channels=frozenset(body.many("channel_codes")),
        only_null_channel=body.flag("only_null_channel") or False,
        centers=frozenset({center} if center else ()),
        created=created,
        updated=moved_back(updated),
        shop_ids=frozenset(body.whole_numbers("shop_ids") if call.is_operator else ()),
        refund_states=frozenset(refund_states),
    )
    mode = body.one("order_tax_mode", TAX_MODES)
    limits = chunk_limits(call, body, largest_megabytes=1024, default_megabytes=512)
    # How the platform answers a second request is not published; that only one can run is.
    if running_export(call):
        raise RuleError(400, "EXPORT_ALREADY_RUNNING", "An order export is already running for this shop")
    if updated == (None, None):
        take(call, ((1, DAY),), "full")
    else:
        take(call, ((1, 5 * MINUTE),), "differential")
    orders = call.shop.find_orders(asked, asked.tests(), False)
    return start_export(call, (asked, mode), order_bodies(orders, mode), limits, FORM)


def _range(body: Body, first: str, last: str) -> Range:
    """A range of times, both ends or none."""
    low, high = body.time(first), body.time(last)
    if (low is None) != (high is None):
        missing, given = (first, last) if low is None else (last, first)
        raise BadParameter(missing, f"'{missing}' must be used with '{given}'")
    return low, high


READS = (
    Endpoint("OR13", "POST", "/api/orders/async-export", _start, admin_or("ORDER_READ")),
    Endpoint(
        "OR14",
        "GET",
        "/api/orders/async-export/status/{tracking_id}",
        status_handler("OR13", FILES, tells_errors=False),
        admin_or("ORDER_READ"),
        limits=((1, 2.0),),
    ),
    Endpoint("OR15", "GET", FILES + "/{tracking_id}", file_handler("OR13"), admin_or("ORDER_READ")),
)
