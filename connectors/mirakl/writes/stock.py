"""Pushes stock quantities to a Mirakl marketplace (STO01) and reads the import's report to its last error line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import (
    AuthError,
    BadPayload,
    ConnectorError,
    PermissionDenied,
    RateLimited,
    ServerFailed,
    TransportFailed,
)
from connectors.http import Answer
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.endpoints import (
    ENDPOINTS,
    STOCK_IMPORT,
    STOCK_IMPORT_ERRORS,
    STOCK_IMPORT_PATH,
    STOCK_IMPORT_STATUS,
    STOCK_STATUS_POLL_SECONDS,
)
from connectors.records import Window

HEADINGS = ("offer-sku", "quantity", "warehouse-code", "update-delete")
LOCAL_POLL_SECONDS = 0.2
DEFAULT_MAXIMUM_WAIT_SECONDS = 900.0
READ_ALL_OFFERS_FROM = 30
"""From this many SKUs on, reading the whole catalogue costs fewer calls than asking for each."""
MAXIMUM_QUANTITY = 2**31 - 1


class _Offer(msgspec.Struct):
    shop_sku: str | int
    quantity: msgspec.Raw = msgspec.Raw(b"0")


class _ImportId(msgspec.Struct):
    import_id: str | int


class _Status(msgspec.Struct):
    status: str
    lines_in_error: int | None = None
    lines_in_success: int | None = None
    has_error_report: bool | None = None
    reason_status: str | None = None


@dataclass(frozen=True, slots=True)
class _LineError:
    """One line of the error report. `line` is its number in the file that was sent, the heading being line 1."""

    line: int | None
    shop_sku: str | None
    message: str


class StockDelivery:
    """Sets the quantity of offers. A payload holds `shop_sku` and `quantity` (whole units, not negative).

    One call of `send` is one file and one import. `poll_seconds` is the pause between two looks at the import (Mirakl
    allows one in 15 s); `maximum_wait_seconds` bounds them, after which the outcome is UNKNOWN.
    """

    kind = "STOCK"

    def __init__(
        self,
        connector: MiraklConnector,
        *,
        poll_seconds: float | None = None,
        maximum_wait_seconds: float = DEFAULT_MAXIMUM_WAIT_SECONDS,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._connector = connector
        self._client = connector.client
        default = LOCAL_POLL_SECONDS if self._client.is_local else STOCK_STATUS_POLL_SECONDS
        self._poll_seconds = default if poll_seconds is None else poll_seconds
        self._maximum_wait_seconds = maximum_wait_seconds
        self._sleep = sleep or self._client.sleep

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        good, _ = _sorted_out(actions)
        if not good:
            return []
        return [
            Request(
                "POST",
                str(self._client.url(STOCK_IMPORT_PATH).copy_with(params={"shop_id": self._connector.shop_id})),
                {"Authorization": "***", "Content-Type": "multipart/form-data; name=file; filename=stock.csv"},
                stock_csv(good).decode(),
            )
        ]

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        """An action is found when the offer already has the wanted quantity: a quantity is a state, not an event."""
        quantities = self._quantities({_sku(a) for a in actions})
        found: dict[str, Found | None] = {}
        for action in actions:
            held = quantities.get(_sku(action))
            wanted = _quantity(action)
            is_there = held is not None and wanted is not None and held == wanted
            found[action.action_key] = Found((), True, f"the offer has quantity {held}") if is_there else None
        return found

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        quantities = self._quantities({_sku(a) for a in actions})
        result = {}
        for action in actions:
            held, wanted = quantities.get(_sku(action)), _quantity(action)
            if held is None:
                result[action.action_key] = Verification(False, f"the shop has no offer with SKU {_sku(action)}")
            else:
                result[action.action_key] = Verification(held == wanted, f"quantity is {held}, wanted {wanted}")
        return result

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        good, results = _sorted_out(actions)
        if good:
            results.update(self._import(good))
        return results

    # --- one import ---

    def _import(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        try:
            import_id = self._start_import(actions)
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_write(error))
        try:
            status = self._wait_for(import_id)
            errors = self._errors(import_id) if status.status == "COMPLETE" and _may_have_errors(status) else []
        except ConnectorError as error:
            unknown = DeliveryResult(Outcome.UNKNOWN, (import_id,), f"import {import_id}: {error}")
            return dict.fromkeys((a.action_key for a in actions), unknown)
        if status.status == "FAILED":
            why = status.reason_status or "the whole file was refused"
            return dict.fromkeys(
                (a.action_key for a in actions),
                DeliveryResult(Outcome.FAILED, (import_id,), f"import {import_id} failed: {why}"),
            )
        return self._per_sku(actions, import_id, status, errors)

    def _start_import(self, actions: Sequence[Action]) -> str:
        answer = self._client.write(
            STOCK_IMPORT,
            STOCK_IMPORT_PATH,
            parameters={"shop_id": self._connector.shop_id},
            files={"file": ("stock.csv", stock_csv(actions), "text/csv")},
        )
        try:
            return str(msgspec.json.decode(answer.body, type=_ImportId).import_id)
        except msgspec.DecodeError as error:
            raise BadPayload(
                "the import was answered without an import_id",
                vendor=VENDOR,
                call=STOCK_IMPORT.name,
                status=answer.status,
            ) from error

    def _wait_for(self, import_id: str) -> _Status:
        def parse(answer: Answer) -> _Status:
            try:
                return msgspec.json.decode(answer.body, type=_Status)
            except msgspec.DecodeError as error:
                raise BadPayload("no import status", vendor=VENDOR, call=STOCK_IMPORT_STATUS.name) from error

        waited = 0.0
        while True:
            status = self._client.read(
                STOCK_IMPORT_STATUS,
                f"{STOCK_IMPORT_PATH}/{import_id}/status",
                {"shop_id": self._connector.shop_id},
                parse,
            )
            if status.status in {"COMPLETE", "FAILED"}:
                return status
            if waited >= self._maximum_wait_seconds:
                raise TransportFailed(
                    f"still {status.status} after {waited:g} s", vendor=VENDOR, call=STOCK_IMPORT_STATUS.name
                )
            self._sleep(self._poll_seconds)
            waited += self._poll_seconds

    def _errors(self, import_id: str) -> list[_LineError]:
        return self._client.read(
            STOCK_IMPORT_ERRORS,
            f"{STOCK_IMPORT_PATH}/{import_id}/error_report",
            {"shop_id": self._connector.shop_id},
            lambda answer: parse_error_report(answer.body),
        )

    @staticmethod
    def _per_sku(
        actions: Sequence[Action], import_id: str, status: _Status, errors: Sequence[_LineError]
    ) -> dict[str, DeliveryResult]:
        messages: dict[str, list[str]] = {}
        for error in errors:
            sku = error.shop_sku
            if sku is None and error.line is not None and 2 <= error.line < len(actions) + 2:
                sku = _sku(actions[error.line - 2])
            if sku is not None:
                messages.setdefault(sku, []).append(error.message)
        named = sum(1 for a in actions if _sku(a) in messages)
        # An error that names no line of ours could belong to any of the others: only reading the offers can tell.
        all_named = status.lines_in_error is None or named >= status.lines_in_error
        results = {}
        for action in actions:
            if _sku(action) in messages:
                detail = "; ".join(messages[_sku(action)])
                results[action.action_key] = DeliveryResult(Outcome.FAILED, (import_id,), detail)
            elif all_named:
                results[action.action_key] = DeliveryResult(
                    Outcome.SENT, (import_id,), f"import {import_id} is complete"
                )
            else:
                detail = f"import {import_id} counts {status.lines_in_error} errors, its report names {named}"
                results[action.action_key] = DeliveryResult(Outcome.UNKNOWN, (import_id,), detail)
        return results

    # --- reading offers ---

    def _quantities(self, skus: set[str]) -> dict[str, Decimal]:
        quantities: dict[str, Decimal] = {}
        if len(skus) >= READ_ALL_OFFERS_FROM:
            for page in self._connector.pages("offers", Window()):
                _collect(page.body, skus, quantities)
            return quantities
        endpoint = ENDPOINTS["offers"]
        for sku in sorted(skus):
            parameters = {"shop_id": self._connector.shop_id, "max": "100", "sku": sku}
            body = self._client.read(endpoint.call, endpoint.path, parameters, _checked_offers)
            _collect(body, skus, quantities)
        return quantities


def _checked_offers(answer: Answer) -> bytes:
    _collect(answer.body, set(), {})
    return answer.body


def _collect(body: bytes, skus: set[str], quantities: dict[str, Decimal]) -> None:
    """Add the quantity of each wanted SKU. An offer that cannot be read counts as absent: nothing is proved by it."""
    whole, _ = split_records(body, Envelope("offers"), vendor=VENDOR, call="OF21")
    for raw in raw_records(whole, vendor=VENDOR, call="OF21"):
        try:
            offer = msgspec.json.decode(raw, type=_Offer)
            quantity = Decimal(bytes(offer.quantity).decode().strip('"'))
        except (msgspec.DecodeError, InvalidOperation, UnicodeError):
            continue
        if str(offer.shop_sku) in skus:
            quantities[str(offer.shop_sku)] = quantity


def _sku(action: Action) -> str:
    return str(action.payload.get("shop_sku") or "")


def _quantity(action: Action) -> Decimal | None:
    try:
        value = Decimal(str(action.payload.get("quantity")))
    except InvalidOperation:
        return None
    is_usable = value.is_finite() and value == value.to_integral_value() and 0 <= value <= MAXIMUM_QUANTITY
    return value.to_integral_value() if is_usable else None


def _sorted_out(actions: Sequence[Action]) -> tuple[list[Action], dict[str, DeliveryResult]]:
    """The actions that can be sent, and a FAILED for each that cannot."""
    counts = Counter(_sku(a) for a in actions)
    good: list[Action] = []
    failed: dict[str, DeliveryResult] = {}
    for action in actions:
        sku = _sku(action)
        if not sku:
            failed[action.action_key] = DeliveryResult(Outcome.FAILED, detail="the payload has no shop_sku")
        elif _quantity(action) is None:
            failed[action.action_key] = DeliveryResult(
                Outcome.FAILED, detail=f"quantity of {sku} is not a whole number from 0 to {MAXIMUM_QUANTITY}"
            )
        elif counts[sku] > 1:
            failed[action.action_key] = DeliveryResult(
                Outcome.FAILED,
                detail=f"{counts[sku]} actions set the quantity of {sku}: which one is right cannot be known",
            )
        else:
            good.append(action)
    return good, failed


def stock_csv(actions: Sequence[Action]) -> bytes:
    """The STO01 file: one line per offer, no warehouse (the offer's global quantity), in the order of the actions."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\n")
    writer.writerow(HEADINGS)
    for action in actions:
        writer.writerow((_sku(action), str(_quantity(action)), "", "update"))
    return buffer.getvalue().encode()


def parse_error_report(body: bytes) -> list[_LineError]:
    """STO03: a CSV with the refused lines. Its first two columns are the line's number and the reason, unless headings
    say otherwise (`error-line`, `error-message`, `offer-sku`).
    """
    text = body.decode("utf-8-sig", "replace")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    if not rows:
        return []
    headings = [cell.strip().lower().replace("_", "-") for cell in rows[0]]
    has_headings = "error-line" in headings or "offer-sku" in headings or not headings[0].isdigit()
    line_at = headings.index("error-line") if "error-line" in headings else 0
    message_at = next((headings.index(h) for h in ("error-message", "error-reason") if h in headings), 1)
    sku_at = next((headings.index(h) for h in ("offer-sku", "sku") if h in headings), None)
    errors = []
    for row in rows[1:] if has_headings else rows:
        line = row[line_at].strip() if line_at < len(row) else ""
        message = row[message_at].strip() if message_at < len(row) else ""
        sku = row[sku_at].strip() if sku_at is not None and sku_at < len(row) else None
        errors.append(
            _LineError(int(line) if line.isdigit() else None, sku or None, message or "refused without a reason")
        )
    return errors


def _may_have_errors(status: _Status) -> bool:
    return bool(status.has_error_report) or bool(status.lines_in_error)


def failed_write(error: ConnectorError) -> DeliveryResult:
    """What is known of a write whose request did not end well."""
    if isinstance(error, ServerFailed | BadPayload) or (isinstance(error, TransportFailed) and error.sent):
        return DeliveryResult(Outcome.UNKNOWN, detail=str(error))
    can_pass = isinstance(error, TransportFailed | RateLimited | AuthError | PermissionDenied)
    return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass)
