"""Files and lists that are accepted first and worked through later: upload, CSV, status, error report."""

import csv
import hashlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sandbox.clock import stamp
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import Call
from sandbox.mirakl.records import Filter, member, record_page
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl_shop import MiraklShop, OfferImport, RuleError

LARGEST_QUANTITY = 2**31 - 1


class NotMultipart(RuleError):
    def __init__(self) -> None:
        super().__init__(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")


@dataclass(frozen=True)
class Upload:
    """A multipart request: its file as text, and its other parts."""

    text: str
    form: FormData

    def part(self, name: str) -> str | None:
        """A form field; some clients send its JSON, some the plain text."""
        value = self.form.get(name)
        return value.strip().strip('"') if isinstance(value, str) else None


async def upload_of(call: Call) -> Upload:
    """Raises NotMultipart, BadParameter."""
    if not call.request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise NotMultipart
    try:
        form = await call.request.form()
    except HTTPException as error:
        raise RuleError(400, "VALIDATION_ERROR", str(error.detail)) from None
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise BadParameter("file", "Required part 'file' is not present")
    try:
        text = (await upload.read()).decode("utf-8")
    except UnicodeDecodeError:
        raise BadParameter("file", "The file is not encoded in UTF-8") from None
    return Upload(text.removeprefix("\ufeff"), form)


@dataclass(frozen=True)
class Table:
    """A CSV file: its header and its lines with their numbers, the header being line 1. Empty lines do not count."""

    header: list[str]
    lines: list[tuple[int, list[str]]]

    def cells(self, line: list[str]) -> dict[str, str]:
        return dict(zip(self.header, (cell.strip() for cell in line), strict=False))


def table_of(shop: MiraklShop, text: str) -> Table:
    rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(shop)))
    header = [name.strip() for name in rows[0]] if rows else []
    lines = [(number, cells) for number, cells in enumerate(rows[1:], start=2) if any(cell.strip() for cell in cells)]
    return Table(header, lines)


def _delimiter(shop: MiraklShop) -> str:
    return "," if shop.delimiter_name == "COMMA" else ";"


def whole_quantity(text: str) -> int | None:
    """A quantity as the platform takes it: 0 to 2147483647; None for anything else."""
    is_whole = text.isascii() and text.isdigit() and int(text) <= LARGEST_QUANTITY
    return int(text) if is_whole else None


# --- life of an import

Work = Callable[[MiraklShop, OfferImport, dict[str, Any]], str | None]


def next_id(account: MiraklAccount) -> int:
    account.import_count += 1
    return account.import_count


def digest_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def pending_twin(shop: MiraklShop, kind: str, digest: str) -> OfferImport | None:
    """An import of the same content that has not ended yet."""
    twins = (one for one in shop.imports.values() if one.kind == kind and one.digest == digest and not one.has_ended)
    return next(twins, None)


def receiver(kind: str, work: Work) -> Callable[[MiraklAccount, dict[str, Any], datetime, bool], None]:
    """Carries out the taking in of a request; a replay works it through at once, in the order of arrival."""

    def receive(account: MiraklAccount, data: dict[str, Any], at: datetime, is_replay: bool) -> None:
        shop = account.shops[data["shop_id"]]
        received = OfferImport(
            import_id=data["import_id"],
            kind=kind,
            at=at,
            started=time.monotonic(),
            line_count=len(data["offers"]) if "offers" in data else data["text"].count("\n"),
            digest=data["digest"],
            work=lambda shop, one: work(shop, one, data),
            mode=data.get("mode", "NORMAL"),
        )
        shop.receive_import(received)
        if is_replay:
            account.import_count = max(account.import_count, int(data["import_id"]))
            shop.settle_imports(float("inf"), 0.0, 0.0)

    return receive


def import_of(call: Call, kind: str, import_id: str) -> OfferImport:
    """The shop's own import. Raises RuleError 404."""
    found = call.shop.imports.get(import_id)
    if found is None or found.kind != kind:
        raise RuleError(404, "IMPORT_NOT_FOUND", f"Import with identifier '{import_id}' not found")
    return found


def error_report(shop: MiraklShop, found: OfferImport, media_type: str = "text/csv;charset=UTF-8") -> Response:
    """The failed lines in the uploaded format, their number and reason before them. Raises RuleError 404."""
    if not found.failed:
        raise RuleError(404, "ERROR_REPORT_NOT_FOUND", f"The import '{found.import_id}' has no error report")
    report = io.StringIO()
    writer = csv.writer(report, delimiter=_delimiter(shop), quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["error-line", "error-message", *found.header])
    writer.writerows([number, reason, *cells] for number, reason, cells in found.failed)
    return Response(report.getvalue().encode(), media_type=media_type)


def head_of(call: Call, found: OfferImport) -> dict[str, Any]:
    """What every status shows."""
    return {
        "date_created": stamp(found.at),
        "has_error_report": bool(found.failed),
        "import_id": found.import_id,
        "shop_id": call.shop.shop_id,
        "status": found.status,
    }


def import_page(
    call: Call, kind: str, filters: Sequence[Filter], show: Callable[[OfferImport], dict[str, Any]]
) -> Response:
    """A page of the shop's imports of a kind, newest first unless asked otherwise."""
    # Imports of one moment need an order of their own; the answer does not show it.
    records = [show(one) | {"id": one.import_id} for one in call.shop.imports.values() if one.kind == kind]

    def shown(record: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in record.items() if name != "id"}

    return record_page(call, records, filters, {"dateCreated": member("date_created")}, show=shown)
