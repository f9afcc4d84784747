"""What Sage 200 does not document, answered either way: the open questions of the reference, played."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonio
from sandbox.odata import Predicate
from sandbox.sage_settings import SageSettings

Handler = Callable[[Request], Awaitable[Response]]
_LEDGER = frozenset({"sales_posted_transactions", "sales_historical_transactions", "sales_transaction_views"})
_CREDITS = "TradingAccountEntryTypeCreditNote"
_INVOICES = frozenset({_CREDITS, "TradingAccountEntryTypeInvoice"})
_COMPLETE = "EnumDocumentStatusComplete"


def plausibly(settings: SageSettings, handler: Handler) -> Handler:
    """The handler, answering as the settings say that this site answers."""

    async def answer(request: Request) -> Response:
        response = await handler(request)
        if response.status_code == 400 and settings.refusal_form != "text":
            return _refusal(settings.refusal_form, bytes(response.body).decode())
        resource = request.path_params["resource"]
        is_bent = (settings.credit_sign, settings.payment_sign, settings.invoice_reference) != (
            "negative",
            "negative",
            "invoice",
        )
        if response.status_code != 200 or request.method != "GET" or not is_bent:
            return response
        body = jsonio.decode(bytes(response.body))
        rows = body.get("value", []) if isinstance(body, dict) else body
        for row in rows if isinstance(rows, list) else []:
            _bend(settings, resource, row)
        return Response(jsonio.encode(body), media_type="application/json; charset=utf-8")

    return answer


def hidden_orders(settings: SageSettings, resource: str, extra: Predicate | None) -> Predicate | None:
    """`extra`, and not an order that is complete where a site's list does not show what it has archived."""
    if resource != "sop_orders" or settings.archived_orders == "shown":
        return extra

    def is_shown(row: Any) -> bool:
        return row.get("document_status") != _COMPLETE and (extra is None or extra(row))

    return is_shown


def _refusal(form: str, text: str) -> Response:
    """A refusal with the same text in another form; `empty` has none."""
    match form:
        case "json":
            return Response(jsonio.encode({"Message": text}), 400, media_type="application/json; charset=utf-8")
        case "errors":
            body = {"errors": [{"code": "SageValidation", "description": text}]}
            return Response(jsonio.encode(body), 400, media_type="application/json; charset=utf-8")
        case _:
            return Response(status_code=400)


def _bend(settings: SageSettings, resource: str, row: dict[str, Any]) -> None:
    kind = row.get("trader_transaction_type")
    if resource in _LEDGER and kind == _CREDITS and settings.credit_sign == "positive":
        for name, value in row.items():
            if name.endswith("_value") and value < 0:
                row[name] = -value
    if resource in _LEDGER and kind in _INVOICES and settings.invoice_reference == "order":
        row["reference"], row["second_reference"] = row.get("second_reference", ""), row.get("reference", "")
    if resource == "bank_posted_transactions" and settings.payment_sign == "positive":
        row["cheque_value"] = abs(row["cheque_value"])
