"""Files that Mirakl takes at once and works through later: send, wait, and read the report to its last line.

An import answers 201 before anything is checked, and COMPLETE means read, not applied. So every line's fate is taken
from the counts and the error report, and a line of which nobody knows stays unknown. Two imports of the same offers
must not overtake each other: a new file is not sent while an earlier one, whose end this process did not see, still
runs.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from connectors.decoding import Envelope, raw_records, split_records
from connectors.delivery import Action, DeliveryResult, Outcome
from connectors.errors import BadPayload, ConnectorError, TransportFailed
from connectors.http import Answer, Call
from connectors.mirakl.decode import VENDOR
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read, failed_write

LOCAL_POLL_SECONDS = 0.2
DEFAULT_MAXIMUM_WAIT_SECONDS = 900.0
ENDED = frozenset({"COMPLETE", "FAILED"})
NO_REASON = "refused without a reason"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportCalls:
    """The calls around one kind of import. `{}` in a path is the import's id; a status without it is a list."""

    status: Call
    status_path: str
    errors: Call
    errors_path: str
    poll_seconds: float
    """The pause between two looks at the status that Mirakl asks for."""


class ImportStatus(msgspec.Struct):
    status: str
    import_id: str | int | None = None
    lines_in_error: int | None = None
    lines_in_success: int | None = None
    lines_in_pending: int | None = None
    has_error_report: bool | None = None
    reason_status: str | None = None


class _Started(msgspec.Struct):
    import_id: str | int | None = None
    importId: str | int | None = None  # PRI01's older name of it


@dataclass(frozen=True, slots=True)
class LineError:
    """One line of an error report. `line` is its number in the file that was sent, the heading being line 1."""

    line: int | None
    shop_sku: str | None
    message: str


class Importer:
    """One kind of import of one shop. `maximum_wait_seconds` bounds the looks at one import, after which its outcome is
    UNKNOWN.
    """

    def __init__(
        self,
        desk: Desk,
        calls: ImportCalls,
        *,
        poll_seconds: float | None = None,
        maximum_wait_seconds: float = DEFAULT_MAXIMUM_WAIT_SECONDS,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._desk = desk
        self._calls = calls
        default = LOCAL_POLL_SECONDS if desk.client.is_local else calls.poll_seconds
        self._poll_seconds = default if poll_seconds is None else poll_seconds
        self._maximum_wait_seconds = maximum_wait_seconds
        self._sleep = sleep or desk.client.sleep
        self._unfinished: str | None = None

    def run(
        self, call: Call, start: Callable[[], Answer], lines: Mapping[str, Sequence[str]]
    ) -> dict[str, DeliveryResult]:
        """Start an import by `start` (one write of `call`) and see it through.

        `lines`: the SKU of each line of the file by action key, in the file's order; an action may have several. The
        result has an entry for each key.
        """
        try:
            self._wait_for_earlier()
        except Unfit as unfit:
            return dict.fromkeys(lines, unfit.result())
        except ConnectorError as error:
            return dict.fromkeys(lines, failed_read(error))
        try:
            import_id = _import_id(start(), call)
        except ConnectorError as error:
            return dict.fromkeys(lines, failed_write(error))
        self._unfinished = import_id
        try:
            status = self._wait_for(import_id)
            self._unfinished = None
            errors = self._errors(import_id) if status.status == "COMPLETE" and _may_have_errors(status) else []
        except ConnectorError as error:
            unknown = DeliveryResult(Outcome.UNKNOWN, (import_id,), f"import {import_id}: {error}")
            return dict.fromkeys(lines, unknown)
        if status.status == "FAILED":
            why = status.reason_status or "the whole file was refused"
            failed = DeliveryResult(Outcome.FAILED, (import_id,), f"import {import_id} failed: {why}")
            return dict.fromkeys(lines, failed)
        return _per_action(lines, import_id, status, errors)

    def _wait_for_earlier(self) -> None:
        if self._unfinished is None:
            return
        status = self._status(self._unfinished)
        if status is None or status.status not in ENDED:
            held = status.status if status else "not listed"
            raise Unfit(f"import {self._unfinished} is still {held}, and files must not overtake it", is_for_now=True)
        self._unfinished = None

    def _wait_for(self, import_id: str) -> ImportStatus:
        waited = 0.0
        while True:
            status = self._status(import_id)
            if status is not None and status.status in ENDED:
                return status
            if waited >= self._maximum_wait_seconds:
                held = status.status if status else "not listed"
                raise TransportFailed(f"still {held} after {waited:g} s", vendor=VENDOR, call=self._calls.status.name)
            self._sleep(self._poll_seconds)
            waited += self._poll_seconds

    def _status(self, import_id: str) -> ImportStatus | None:
        """None: a list that does not show the import (yet)."""
        calls = self._calls
        if "{}" in calls.status_path:
            return self._desk.read(calls.status, calls.status_path.format(import_id), {}, self._one_status)
        listed = self._desk.read(calls.status, calls.status_path, {"import_id": import_id}, self._listed_status)
        return next((status for status in listed if str(status.import_id) == import_id), None)

    def _one_status(self, answer: Answer) -> ImportStatus:
        try:
            return msgspec.json.decode(answer.body, type=ImportStatus)
        except (msgspec.DecodeError, ValueError) as error:
            raise BadPayload("no import status", vendor=VENDOR, call=self._calls.status.name) from error

    def _listed_status(self, answer: Answer) -> list[ImportStatus]:
        name = self._calls.status.name
        whole, _ = split_records(answer.body, Envelope("data"), vendor=VENDOR, call=name)
        try:
            return [msgspec.json.decode(raw, type=ImportStatus) for raw in raw_records(whole, vendor=VENDOR, call=name)]
        except (msgspec.DecodeError, ValueError) as error:
            raise BadPayload("no import status", vendor=VENDOR, call=name) from error

    def _errors(self, import_id: str) -> list[LineError]:
        path = self._calls.errors_path.format(import_id)
        return self._desk.read(self._calls.errors, path, {}, lambda answer: parse_error_report(answer.body))


def _import_id(answer: Answer, call: Call) -> str:
    try:
        started = msgspec.json.decode(answer.body, type=_Started)
    except (msgspec.DecodeError, ValueError):
        started = _Started()
    found = started.import_id if started.import_id is not None else started.importId
    if found is None:
        message = "the import was answered without an import_id"
        raise BadPayload(message, vendor=VENDOR, call=call.name, status=answer.status)
    return str(found)


def _may_have_errors(status: ImportStatus) -> bool:
    return bool(status.has_error_report) or bool(status.lines_in_error)


def _per_action(
    lines: Mapping[str, Sequence[str]], import_id: str, status: ImportStatus, errors: Sequence[LineError]
) -> dict[str, DeliveryResult]:
    """Each action's own result: FAILED with the messages of its lines, SENT when all errors are accounted for."""
    owners = [(key, sku) for key, skus in lines.items() for sku in skus]
    messages: dict[str, list[str]] = {}
    named_lines = 0
    for error in errors:
        key = _owner(error, owners)
        if key is not None:
            messages.setdefault(key, []).append(error.message)
            named_lines += 1
    # An error that names no line of ours could belong to any of the others: only reading the offers can tell.
    all_named = status.lines_in_error is None or named_lines >= status.lines_in_error
    results = {}
    for key in lines:
        if key in messages:
            # A report may hold all lines of an offer, with a reason beside the bad ones only.
            reasons = [message for message in messages[key] if message != NO_REASON] or [NO_REASON]
            result = DeliveryResult(Outcome.FAILED, (import_id,), "; ".join(reasons))
        elif all_named:
            pending = f", {status.lines_in_pending} lines are pending" if status.lines_in_pending else ""
            result = DeliveryResult(Outcome.SENT, (import_id,), f"import {import_id} is complete{pending}")
        else:
            detail = f"import {import_id} counts {status.lines_in_error} errors, its report names {named_lines}"
            result = DeliveryResult(Outcome.UNKNOWN, (import_id,), detail)
        results[key] = result
    return results


def _owner(error: LineError, owners: Sequence[tuple[str, str]]) -> str | None:
    """The action that an error belongs to: by its SKU, else by its line."""
    if error.shop_sku is not None:
        return next((key for key, sku in owners if sku == error.shop_sku), None)
    if error.line is not None and 2 <= error.line < len(owners) + 2:
        return owners[error.line - 2][0]
    return None


def sorted_out(
    actions: Sequence[Action], wanted: Callable[[Action], tuple[str, T]]
) -> tuple[dict[str, tuple[str, T]], dict[str, DeliveryResult]]:
    """The actions that can be sent, by key (the SKU and what is `wanted` of it), and a FAILED for each that cannot:
    `wanted` raises Unfit, or several want something of one SKU, and which one is right cannot be known.
    """
    good: dict[str, tuple[str, T]] = {}
    failed: dict[str, DeliveryResult] = {}
    for action in actions:
        try:
            good[action.action_key] = wanted(action)
        except Unfit as unfit:
            failed[action.action_key] = unfit.result()
    counts = Counter(sku for sku, _ in good.values())
    for key, (sku, _) in list(good.items()):
        if counts[sku] > 1:
            del good[key]
            failed[key] = Unfit(f"{counts[sku]} actions change {sku}: which one is right cannot be known").result()
    return good, failed


def csv_file(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A file as Mirakl's own examples have it: semicolons, a heading, UTF-8."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def parse_error_report(body: bytes) -> list[LineError]:
    """STO03, PRI03, OF03: a CSV with the refused lines. Its first two columns are the line's number and the reason,
    unless headings say otherwise (`error-line`, `error-message`, `offer-sku` or `sku`).
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
    sku_at = next((headings.index(h) for h in ("offer-sku", "sku", "shop-sku") if h in headings), None)
    errors = []
    for row in rows[1:] if has_headings else rows:
        line = row[line_at].strip() if line_at < len(row) else ""
        message = row[message_at].strip() if message_at < len(row) else ""
        sku = row[sku_at].strip() if sku_at is not None and sku_at < len(row) else None
        errors.append(LineError(int(line) if line.isdigit() else None, sku or None, message or NO_REASON))
    return errors
