"""Asynchronous exports: a request is answered at once, the files come later, and each is fetched by a URL of its own.

What a file holds is fixed when the export is asked for.
"""

import time
import uuid
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.mirakl.calls import Call, Handler, json_response
from sandbox.mirakl.values import Body
from sandbox.mirakl_shop import RuleError

Outcome = Literal["COMPLETED", "FAILED", "CANCELED"]
KEPT_EXPORTS = 200


@dataclass(frozen=True)
class FileForm:
    """How the records of an export become a file. `join` takes the records' bytes."""

    ending: str
    media_type: str
    join: Callable[[Sequence[bytes]], bytes]


@dataclass
class Export:
    """One export. `started` is monotonic seconds; `chunks` are the records of each file."""

    tracking_id: str
    code: str
    shop_id: int
    question: Hashable
    started: float
    asked_at: str
    seconds: float
    outcome: Outcome
    form: FileForm
    chunks: list[Sequence[bytes]]

    @property
    def is_running(self) -> bool:
        return time.monotonic() - self.started < self.seconds

    @property
    def status(self) -> str:
        return "PENDING" if self.is_running else self.outcome


@dataclass(frozen=True)
class ChunkLimits:
    """The largest file that a client asks for."""

    items: int
    megabytes: int


def chunk_limits(call: Call, body: Body, *, largest_megabytes: int, default_megabytes: int) -> ChunkLimits:
    """`items_per_chunk` from 10,000 to 1,000,000 and `megabytes_per_chunk` from 10. Raises BadParameter."""
    smallest = call.account.settings.minimum_items_per_chunk
    return ChunkLimits(
        items=body.whole("items_per_chunk", 1_000_000, smallest, 1_000_000),
        megabytes=body.whole("megabytes_per_chunk", default_megabytes, 10, largest_megabytes),
    )


def running_export(call: Call) -> Export | None:
    """The newest export of this kind that the shop waits for."""
    for export in reversed(call.account.exports.values()):
        if (export.code, export.shop_id) == (call.code, call.shop.shop_id) and export.is_running:
            return export
    return None


def start_export(
    call: Call, question: Hashable, records: Sequence[bytes], limits: ChunkLimits, form: FileForm
) -> Response:
    """Begins an export and answers with its tracking id."""
    account, settings = call.account, call.account.settings
    outcome: Outcome = "COMPLETED"
    if settings.failing_exports > 0:
        settings.failing_exports -= 1
        outcome = "FAILED"
    elif settings.canceled_exports > 0:
        settings.canceled_exports -= 1
        outcome = "CANCELED"
    account.export_count += 1
    export = Export(
        tracking_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account.salt}|{account.export_count}")),
        code=call.code,
        shop_id=call.shop.shop_id,
        question=question,
        started=time.monotonic(),
        asked_at=stamp(account.clock.now()),
        seconds=settings.export_seconds,
        outcome=outcome,
        form=form,
        chunks=_chunks(records, limits),
    )
    account.exports[export.tracking_id] = export
    while len(account.exports) > KEPT_EXPORTS:
        del account.exports[next(iter(account.exports))]
    return tracking(export)


def tracking(export: Export) -> Response:
    return json_response(jsonio.encode({"tracking_id": export.tracking_id}))


def _chunks(records: Sequence[bytes], limits: ChunkLimits) -> list[Sequence[bytes]]:
    """The records of each file; an export of nothing is one empty file."""
    chunks: list[Sequence[bytes]] = []
    first, size = 0, 0
    for position, record in enumerate(records):
        if position > first and (position - first == limits.items or size + len(record) > limits.megabytes * 10**6):
            chunks.append(records[first:position])
            first, size = position, 0
        size += len(record) + 1
    return [*chunks, records[first:]]


def status_handler(start_code: str, file_path: str, *, tells_errors: bool) -> Handler:
    """The call that follows an export of `start_code`; `file_path` is where its files are fetched."""

    async def answer(call: Call) -> Response:
        export = _find(call, start_code)
        if export.shop_id != call.shop.shop_id:
            raise _not_found(export.tracking_id)
        body: dict[str, Any] = {"last_updated": export.asked_at, "status": export.status}
        if export.status == "COMPLETED":
            url = call.request.url
            base = f"{url.scheme}://{url.netloc}/mirakl/{call.account.code}{file_path}/{export.tracking_id}"
            body["urls"] = [f"{base}?file={number}.{export.form.ending}" for number in range(len(export.chunks))]
        elif export.status == "FAILED" and tells_errors:
            body["error"] = {"code": "1", "detail": "Internal error"}
        return json_response(jsonio.encode(body))

    return answer


def file_handler(start_code: str) -> Handler:
    """The call that fetches one file of an export of `start_code`."""

    async def answer(call: Call) -> Response:
        export = _find(call, start_code)
        number, _, ending = (call.text("file") or "").partition(".")
        if (
            export.status != "COMPLETED"
            or ending != export.form.ending
            or not number.isdigit()
            or int(number) >= len(export.chunks)
        ):
            raise _not_found(export.tracking_id)
        return Response(export.form.join(export.chunks[int(number)]), media_type=export.form.media_type)

    return answer


def _find(call: Call, code: str) -> Export:
    tracking_id = call.request.path_params["tracking_id"]
    export = call.account.exports.get(tracking_id)
    if export is None or export.code != code or export.shop_id not in call.key.shop_ids:
        raise _not_found(tracking_id)
    return export


def _not_found(tracking_id: str) -> RuleError:
    return RuleError(404, "EXPORT_NOT_FOUND", f"Export with tracking id '{tracking_id}' not found")
