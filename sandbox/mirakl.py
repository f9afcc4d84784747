"""Mirakl's seller API over HTTP: authentication, shops, roles, parameters, paging, limits and error bodies.

Each call carries Mirakl's own code (OR11, TL02, ...). Parameters that a call does not know are ignored, as the
platform does; a known parameter with a bad value is answered with 400.
"""

import csv
import io
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import jsonio
from sandbox.clock import milliseconds
from sandbox.credentials import MiraklKey
from sandbox.journal import WriteJournal
from sandbox.mirakl_shop import (
    UPDATE_MARGIN_MILLISECONDS,
    MiraklShop,
    Order,
    RuleError,
    TransactionLine,
    express_taxes,
)
from sandbox.seek import Question, TokenError, seal, unseal

UNAUTHORIZED = b'{"status":401,"message":"Unauthorized"}'
MAXIMUM_VALUES = 100
ORDER_STATES = frozenset(
    {
        "STAGING",
        "WAITING_ACCEPTANCE",
        "WAITING_DEBIT",
        "WAITING_DEBIT_PAYMENT",
        "SHIPPING",
        "SHIPPED",
        "TO_COLLECT",
        "RECEIVED",
        "CLOSED",
        "REFUSED",
        "CANCELED",
        "WAITING_REFUND",
        "WAITING_REFUND_PAYMENT",
    }
)
WORKFLOWS = frozenset(
    {
        "PAY_ON_ACCEPTANCE",
        "PAY_ON_DELIVERY",
        "PAY_ON_DUE_DATE",
        "PAY_ON_SHIPMENT",
        "NO_CUSTOMER_PAYMENT_CONFIRMATION",
    }
)
TAX_MODES = frozenset({"TAX_INCLUDED", "TAX_EXCLUDED"})
PAYMENT_STATES = frozenset({"PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE"})
PAY_OUT_STATES = frozenset({"TO_PAY", "PAID", "FAILED"})
INVOICE_TYPES = frozenset({"ALL", "AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"})
INVOICE_PAYMENT_STATES = frozenset({"PENDING", "PAID", "FAILED"})

ADMIN = frozenset({"ROLE_SHOP_ADMIN"})
ROLES: dict[str, frozenset[str]] = {"TL02": frozenset({"ROLE_SHOP_ACCOUNTANCY"}), "V01": frozenset()}

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
# Documented maximum frequencies: (calls, seconds). Paged calls whose text excludes further pages count first pages
# only.
FREQUENCIES: dict[str, tuple[tuple[int, float], ...]] = {
    "A01": ((1, DAY),),
    "OR11": ((1, MINUTE),),
    "TL02": ((20, MINUTE), (60, HOUR)),
    "SBC11": ((1, DAY),),
    "IV01": ((1, DAY),),
    "SH21": ((1, DAY),),
    "STO01": ((1, MINUTE),),
    "STO02": ((1, 15.0),),
    "STO03": ((1, MINUTE),),
}
FIRST_PAGES_ONLY = frozenset({"OR11", "SBC11", "IV01"})


class BadParameter(Exception):
    """A known parameter with a value it cannot have: answered with 400 and the field named."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass
class MiraklSettings:
    """Switches of one sandbox; the control endpoints change them."""

    is_rate_limited: bool = False
    rate_window_scale: float = 1.0
    is_partial_acceptance_allowed: bool = True
    import_waiting_seconds: float = 0.15
    import_running_seconds: float = 0.25


@dataclass
class MiraklAccount:
    """One marketplace: its shops and the keys that open them."""

    code: str
    shops: dict[int, MiraklShop]
    keys: dict[str, MiraklKey]
    salt: str
    journal: WriteJournal
    settings: MiraklSettings = field(default_factory=MiraklSettings)
    calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    import_count: int = 0


@dataclass(frozen=True)
class Call:
    """A checked request: the account, the shop that answers, the parameters."""

    code: str
    account: MiraklAccount
    shop: MiraklShop
    key: MiraklKey
    request: Request

    def text(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def many(self, name: str, allowed: frozenset[str] | None = None, *, is_repeated: bool = True) -> tuple[str, ...]:
        """A list parameter: comma-separated on old calls, repeated (or comma-separated) on newer ones."""
        raw = self.request.query_params.getlist(name) if is_repeated else [self.text(name) or ""]
        values = tuple(value.strip() for part in raw for value in part.split(",") if value.strip())
        if len(values) > MAXIMUM_VALUES:
            raise BadParameter(name, f"limit of {MAXIMUM_VALUES} exceeded for the parameter '{name}'")
        self.check_enum(name, values, allowed)
        return values

    def check_enum(self, name: str, values: tuple[str, ...], allowed: frozenset[str] | None) -> None:
        for value in values:
            if allowed is not None and value not in allowed:
                raise BadParameter(name, f"'{value}' is not a valid value for '{name}'")

    def one(self, name: str, allowed: frozenset[str], default: str | None = None) -> str | None:
        value = self.text(name) or default
        if value is not None:
            self.check_enum(name, (value,), allowed)
        return value

    def time(self, name: str) -> int | None:
        """An ISO 8601 date-time in milliseconds; an unencoded `+` that arrived as a blank makes it invalid."""
        value = self.text(name)
        if not value:
            return None
        if "T" not in value:
            raise BadParameter(name, f"'{value}' is not a valid date-time for '{name}' (ISO 8601 expected)")
        try:
            return milliseconds(value)
        except ValueError:
            raise BadParameter(name, f"'{value}' is not a valid date-time for '{name}' (ISO 8601 expected)") from None

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise BadParameter(name, f"'{value}' is not a valid boolean for '{name}'")
        return value == "true"

    def whole(self, name: str, default: int, low: int, high: int | None) -> int:
        value = self.text(name)
        if not value:
            return default
        number = int(value) if value.isascii() and value.lstrip("-").isdigit() else None
        if number is None:
            raise BadParameter(name, f"'{value}' is not a valid integer for '{name}'")
        if number < low or (high is not None and number > high):
            bounds = f"at least {low}" if high is None else f"between {low} and {high}"
            raise BadParameter(name, f"'{name}' must be {bounds}, not {number}")
        return number


Handler = Callable[[Call], Awaitable[Response]]


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, dict(headers or {}), media_type="application/json;charset=UTF-8")


def problem(status: int, message: str, code: str | None = None) -> Response:
    """`{status, message}`, with the rule's code where the platform publishes one."""
    body: dict[str, Any] = {"status": status, "message": message}
    if code is not None:
        body["code"] = code
    return json_response(jsonio.encode(body), status)


def field_problem(error: BadParameter) -> Response:
    body = {"errors": [{"code": "VALIDATION_ERROR", "field": error.name, "message": error.message}]}
    return json_response(jsonio.encode(body), 400)


class MiraklApi:
    """The routes of all marketplaces of a sandbox."""

    def __init__(self, accounts: dict[str, MiraklAccount]) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, str, Handler]] = [
            ("V01", "GET", "/api/version", self._version),
            ("A01", "GET", "/api/account", self._account),
            ("PC01", "GET", "/api/platform/configuration", self._platform),
            ("SH21", "GET", "/api/shipping/carriers", self._carriers),
            ("OR11", "GET", "/api/orders", self._orders),
            ("OR21", "PUT", "/api/orders/{order_id}/accept", self._accept),
            ("OF21", "GET", "/api/offers", self._offers),
            ("STO01", "POST", "/api/offers/stock/imports", self._import_stock),
            ("STO02", "GET", "/api/offers/stock/imports/{import_id}/status", self._import_status),
            ("STO03", "GET", "/api/offers/stock/imports/{import_id}/error_report", self._import_errors),
            ("TL02", "GET", "/api/sellerpayment/transactions_logs", self._transaction_lines),
            ("SBC11", "GET", "/api/seller-billing-cycles", self._cycles),
            ("IV01", "GET", "/api/invoices", self._invoices),
        ]
        routes = [
            Route(f"/mirakl/{{marketplace}}{path}", self._endpoint(code, handler), methods=[method])
            for code, method, path, handler in table
        ]
        return [*routes, Route("/mirakl/{marketplace}/{rest:path}", self._unknown, methods=["GET", "POST", "PUT"])]

    async def _unknown(self, request: Request) -> Response:
        account = self._accounts.get(request.path_params["marketplace"])
        if account is None or request.headers.get("authorization", "") not in account.keys:
            return json_response(UNAUTHORIZED, 401)
        return problem(404, "Not Found")

    def _endpoint(self, code: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            account = self._accounts.get(request.path_params["marketplace"])
            # The bare key is the whole header: a scheme word in front of it makes it a wrong key.
            key = account.keys.get(request.headers.get("authorization", "")) if account else None
            if account is None or key is None:
                return json_response(UNAUTHORIZED, 401)
            roles = ROLES.get(code, ADMIN)
            if roles and not roles & key.roles:
                return problem(403, "Forbidden")
            shop = self._shop(account, key, request.query_params.get("shop_id"))
            if isinstance(shop, Response):
                return shop
            call = Call(code, account, shop, key, request)
            waiting = self._throttle(call)
            if waiting is not None:
                body = {"status": 429, "message": "Too many requests"}
                return json_response(jsonio.encode(body), 429, {"Retry-After": str(waiting)})
            settings = account.settings
            shop.settle_imports(time.monotonic(), settings.import_waiting_seconds, settings.import_running_seconds)
            try:
                response = await handler(call)
            except BadParameter as error:
                response = field_problem(error)
            except RuleError as error:
                response = problem(error.status, error.message, error.code)
            response.headers["Mirakl-Api-Code"] = code
            response.headers["Mirakl-User-Role"] = "SHOP"
            response.headers["Mirakl-Shop-Uuid"] = str(shop.shop_id)
            return response

        return endpoint

    @staticmethod
    def _shop(account: MiraklAccount, key: MiraklKey, text: str | None) -> MiraklShop | Response:
        if text is None:
            return account.shops[key.shop_ids[0]]
        if not (text.isascii() and text.isdigit()):
            return field_problem(BadParameter("shop_id", f"'{text}' is not a valid integer for 'shop_id'"))
        if int(text) not in key.shop_ids:
            return problem(403, "Forbidden")
        return account.shops[int(text)]

    @staticmethod
    def _throttle(call: Call) -> int | None:
        """Seconds to wait when the call comes sooner than its documented maximum frequency; None when it may go on."""
        settings = call.account.settings
        if not settings.is_rate_limited or call.code not in FREQUENCIES:
            return None
        is_later_page = bool(call.text("page_token")) or (call.text("offset") or "0") != "0"
        if call.code in FIRST_PAGES_ONLY and is_later_page:
            return None
        now = time.monotonic()
        subject = call.request.path_params.get("import_id", "")
        past = call.account.calls.setdefault((call.code, subject), deque(maxlen=256))
        waits = []
        for count, window in FREQUENCIES[call.code]:
            seconds = window * settings.rate_window_scale
            inside = [at for at in past if at > now - seconds]
            if len(inside) >= count:
                waits.append(inside[-count] + seconds - now)
        if waits:
            return max(1, -int(-max(waits) // 1))
        past.append(now)
        return None

    # --- whole documents

    async def _version(self, call: Call) -> Response:
        return json_response(b'{"version":"3.1187"}')

    async def _account(self, call: Call) -> Response:
        return json_response(jsonio.encode(call.shop.account))

    async def _platform(self, call: Call) -> Response:
        return json_response(jsonio.encode(call.shop.platform))

    async def _carriers(self, call: Call) -> Response:
        return json_response(jsonio.encode({"carriers": call.shop.carriers}))

    # --- offset paging

    @staticmethod
    def _offset_page(call: Call, name: str, total: int, bodies: Callable[[int, int], list[bytes]]) -> Response:
        size = call.whole("max", 10, 1, 100)
        offset = call.whole("offset", 0, 0, None)
        url = call.request.url
        links = []
        if offset > 0:
            links.append((max(0, offset - size), "previous"))
        if offset + size < total:
            links.append((offset + size, "next"))
        header = ", ".join(
            f'<{url.include_query_params(max=size, offset=start)}>; rel="{relation}"' for start, relation in links
        )
        body = b",".join(bodies(offset, offset + size))
        content = b'{"%s":[%s],"total_count":%d}' % (name.encode(), body, total)
        return json_response(content, 200, {"Link": header} if header else None)

    @staticmethod
    def _order_direction(call: Call) -> bool:
        return call.one("order", frozenset({"asc", "desc"}), "asc") == "desc"

    async def _orders(self, call: Call) -> Response:
        call.one("sort", frozenset({"dateCreated"}))
        mode = call.one("order_tax_mode", TAX_MODES)
        tests, key = self._order_tests(call)
        orders = call.shop.find_orders(key, tests, self._order_direction(call))

        def bodies(start: int, stop: int) -> list[bytes]:
            page = orders[start:stop]
            if mode is None or all(order.tax_mode == mode for order in page):
                return [order.body for order in page]
            return [jsonio.encode(express_taxes(order.record(), mode)) for order in page]

        return self._offset_page(call, "orders", len(orders), bodies)

    @staticmethod
    def _order_tests(call: Call) -> tuple[list[Callable[[Order], bool]], tuple[Any, ...]]:
        ids = frozenset(call.many("order_ids", is_repeated=False))
        for_customer = frozenset(call.many("order_references_for_customer", is_repeated=False))
        for_seller = frozenset(call.many("order_references_for_seller", is_repeated=False))
        states = frozenset(call.many("order_state_codes", ORDER_STATES, is_repeated=False))
        channels = frozenset(call.many("channel_codes", is_repeated=False))
        centers = frozenset(call.many("fulfillment_center_code"))
        workflow = call.one("payment_workflow", WORKFLOWS)
        only_null_channel = call.flag("only_null_channel") or False
        is_debited, has_incident = call.flag("customer_debited"), call.flag("has_incident")
        created = call.time("start_date"), call.time("end_date")
        updated_from, updated_to = call.time("start_update_date"), call.time("end_update_date")
        if updated_from is not None:
            updated_from -= UPDATE_MARGIN_MILLISECONDS
        tests: list[Callable[[Order], bool]] = []
        if ids:
            tests.append(lambda order: order.order_id in ids)
        if for_customer:
            tests.append(lambda order: order.customer_reference in for_customer)
        if for_seller:
            tests.append(lambda order: order.seller_reference in for_seller)
        if states:
            tests.append(lambda order: order.state in states)
        if only_null_channel:
            tests.append(lambda order: order.channel is None)
        elif channels:
            tests.append(lambda order: order.channel in channels)
        if centers:
            tests.append(lambda order: order.center in centers)
        if workflow:
            tests.append(lambda order: order.workflow == workflow)
        if is_debited is not None:
            tests.append(lambda order: order.is_debited == is_debited)
        if has_incident is not None:
            tests.append(lambda order: order.has_incident == has_incident)
        low, high = created
        if low is not None:
            tests.append(lambda order: order.created >= low)
        if high is not None:
            tests.append(lambda order: order.created <= high)
        if updated_from is not None:
            tests.append(lambda order: order.updated >= updated_from)
        if updated_to is not None:
            tests.append(lambda order: order.updated <= updated_to)
        key = (ids, for_customer, for_seller, states, only_null_channel, channels, centers, workflow, is_debited)
        return tests, (*key, has_incident, created, updated_from, updated_to)

    async def _offers(self, call: Call) -> Response:
        sort = call.one("sort", frozenset({"totalPrice", "price", "productTitle"}), "totalPrice")
        states = frozenset(call.many("offer_state_codes", is_repeated=False))
        sku, product = call.text("sku"), call.text("product_id")
        is_favorite = call.flag("favorite") or False
        offers = [
            offer
            for offer in call.shop.offers.values()
            if (not states or offer.get("state_code") in states)
            and (not sku or offer["shop_sku"] == sku)
            and (not product or offer.get("product_sku") == product)
            and (not is_favorite or offer.get("favorite"))
        ]
        column = {"totalPrice": "total_price", "price": "price", "productTitle": "product_title"}[sort or "totalPrice"]
        # No offer is guaranteed a place of its own by these criteria; equal ones come in the order of the catalogue.
        offers.sort(
            key=lambda offer: offer.get(column) or (Decimal(0) if column != "product_title" else ""),
            reverse=self._order_direction(call),
        )
        return self._offset_page(
            call, "offers", len(offers), lambda start, stop: [jsonio.encode(offer) for offer in offers[start:stop]]
        )

    async def _invoices(self, call: Call) -> Response:
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
        if self._order_direction(call):
            invoices.reverse()
        return self._offset_page(
            call,
            "invoices",
            len(invoices),
            lambda first, last: [jsonio.encode(invoice) for invoice in invoices[first:last]],
        )

    # --- seek paging

    @staticmethod
    def _question(call: Call, sorts: tuple[str, ...], limit: int, filters: dict[str, tuple[str, ...]]) -> Question:
        sort, _, direction = (call.text("sort") or f"{sorts[0]},DESC").partition(",")
        if sort not in sorts or direction.upper() not in ("", "ASC", "DESC"):
            raise BadParameter("sort", f"'{call.text('sort')}' is not a valid value for 'sort'")
        return Question(
            call=call.code,
            shop_id=call.shop.shop_id,
            sort=sort,
            is_descending=direction.upper() == "DESC",
            limit=call.whole("limit", 10, 1, limit),
            filters=tuple(sorted((name, values) for name, values in filters.items() if values)),
        )

    @staticmethod
    def _times(call: Call, *names: str) -> dict[str, tuple[str, ...]]:
        found = {name: call.time(name) for name in names}
        return {name: (str(value),) for name, value in found.items() if value is not None}

    async def _transaction_lines(self, call: Call) -> Response:
        token = call.text("page_token")
        salt = call.account.salt
        try:
            if token:
                question, start = unseal(token, call.code, salt)
            else:
                question, start = self._line_question(call), None
        except TokenError:
            raise BadParameter("page_token", "the page token is not valid") from None
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
            "dateCreated": (_bound(filters, "date_created_from"), _bound(filters, "date_created_to")),
            "lastUpdated": (_bound(filters, "last_updated_from"), None),
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
        return self._seek_response([lines[p].body for p in page.positions], question, page, salt)

    def _line_question(self, call: Call) -> Question:
        filters = {
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
        filters |= self._times(
            call,
            "date_created_from",
            "date_created_to",
            "transaction_date_from",
            "transaction_date_to",
            "last_updated_from",
        )
        return self._question(call, ("dateCreated", "lastUpdated"), 2000, filters)

    async def _cycles(self, call: Call) -> Response:
        token = call.text("page_token")
        salt = call.account.salt
        try:
            if token:
                question, start = unseal(token, call.code, salt)
            else:
                filters = {
                    "id": call.many("id"),
                    "currency": call.many("currency"),
                    "pay_out_psp_code": call.many("pay_out_psp_code"),
                    "pay_out_state": call.many("pay_out_state", PAY_OUT_STATES),
                } | self._times(call, "start_date", "end_date")
                question, start = self._question(call, ("dateCreated",), 1000, filters), None
        except TokenError:
            raise BadParameter("page_token", "the page token is not valid") from None
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

        bounds = {"dateCreated": (_bound(chosen, "start_date"), _bound(chosen, "end_date"))}
        page = shop.cycle_index.page(question, start, matches, bounds)
        return self._seek_response([shop.cycle_bodies[p] for p in page.positions], question, page, salt)

    @staticmethod
    def _seek_response(bodies: list[bytes], question: Question, page: Any, salt: str) -> Response:
        content = [b'{"data":[', b",".join(bodies), b"]"]
        for name, position in (("next_page_token", page.following), ("previous_page_token", page.preceding)):
            if position is not None:
                content.append(b',"%s":"%s"' % (name.encode(), seal(question, position, salt).encode()))
        content.append(b"}")
        return json_response(b"".join(content))

    # --- writes

    async def _accept(self, call: Call) -> Response:
        order_id = call.request.path_params["order_id"]
        decisions = _decisions(await call.request.body())
        allowed = call.account.settings.is_partial_acceptance_allowed
        call.shop.check_decision(order_id, decisions, allowed)
        call.account.journal.write(
            "OR21",
            {
                "marketplace": call.account.code,
                "shop_id": call.shop.shop_id,
                "order_id": order_id,
                "decisions": dict(decisions),
            },
        )
        return Response(status_code=204)

    async def _import_stock(self, call: Call) -> Response:
        content_type = call.request.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            return problem(415, "Unsupported Media Type")
        try:
            form = await call.request.form()
        except HTTPException as error:
            return problem(400, str(error.detail))
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise BadParameter("file", "Required part 'file' is not present")
        try:
            text = (await upload.read()).decode("utf-8")
        except UnicodeDecodeError:
            raise BadParameter("file", "The file is not encoded in UTF-8") from None
        call.account.import_count += 1
        import_id = f"{call.account.import_count:08d}"
        call.account.journal.write(
            "STO01",
            {
                "marketplace": call.account.code,
                "shop_id": call.shop.shop_id,
                "import_id": import_id,
                "text": text,
            },
        )
        location = f"{call.request.url.replace(query='')}/{import_id}/status"
        return json_response(jsonio.encode({"import_id": import_id}), 201, {"Location": location})

    @staticmethod
    def _import(call: Call) -> Any:
        found = call.shop.imports.get(call.request.path_params["import_id"])
        if found is None:
            text = f"Import with identifier '{call.request.path_params['import_id']}' not found"
            raise RuleError(404, "IMPORT_NOT_FOUND", text)
        return found

    async def _import_status(self, call: Call) -> Response:
        found = self._import(call)
        body: dict[str, Any] = {
            "import_id": found.import_id,
            "date_created": found.created,
            "shop_id": call.shop.shop_id,
            "status": found.status,
            "has_error_report": bool(found.failed),
        }
        if found.status == "COMPLETE":
            body |= {"lines_in_success": found.succeeded, "lines_in_error": len(found.failed)}
        return json_response(jsonio.encode(body))

    async def _import_errors(self, call: Call) -> Response:
        found = self._import(call)
        if not found.failed:
            raise RuleError(404, "ERROR_REPORT_NOT_FOUND", f"The import '{found.import_id}' has no error report")
        report = io.StringIO()
        delimiter = "," if call.shop.delimiter_name == "COMMA" else ";"
        writer = csv.writer(report, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["error-line", "error-message", *found.header])
        writer.writerows([number, reason, *cells] for number, reason, cells in found.failed)
        return Response(report.getvalue().encode(), media_type="text/csv;charset=UTF-8")


def _bound(filters: Mapping[str, frozenset[str]], name: str) -> int | None:
    return next((int(value) for value in filters.get(name, ())), None)


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
    low, high = _bound(filters, "transaction_date_from"), _bound(filters, "transaction_date_to")
    if low is not None:
        tests.append(lambda line: line.transacted is not None and line.transacted >= low)
    if high is not None:
        tests.append(lambda line: line.transacted is not None and line.transacted <= high)
    return tests


def _decisions(body: bytes) -> list[tuple[str, bool]]:
    """OR21's body. Raises RuleError with the platform's codes."""
    try:
        content = jsonio.decode(body)
        lines = content["order_lines"]
    except (ValueError, KeyError, TypeError):
        raise RuleError(400, "VALIDATION_ERROR", "The request body is not valid") from None
    if not isinstance(lines, list) or not lines:
        raise RuleError(400, "VALIDATION_ERROR", "order_lines must not be empty")
    decisions: list[tuple[str, bool]] = []
    for line in lines:
        if line is None:
            raise RuleError(400, "ORDER_LINE_NULL_ELEMENT", "The order lines list contains a null element")
        if (
            not isinstance(line, dict)
            or not isinstance(line.get("id"), str)
            or not isinstance(line.get("accepted"), bool)
        ):
            raise RuleError(400, "VALIDATION_ERROR", "Each order line needs an id and a boolean 'accepted'")
        decisions.append((line["id"], line["accepted"]))
    return decisions
