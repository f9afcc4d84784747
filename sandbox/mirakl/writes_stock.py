"""Stock files: STO01, their status STO02 and error report STO03."""

import csv
import io
import time
from datetime import datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl.calls import MINUTE, BadParameter, Call, Endpoint, json_response, problem
from sandbox.mirakl_shop import RuleError, StockImport


async def _import_stock(call: Call) -> Response:
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


def _import(call: Call) -> StockImport:
    found = call.shop.imports.get(call.request.path_params["import_id"])
    if found is None:
        text = f"Import with identifier '{call.request.path_params['import_id']}' not found"
        raise RuleError(404, "IMPORT_NOT_FOUND", text)
    return found


async def _import_status(call: Call) -> Response:
    found = _import(call)
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


async def _import_errors(call: Call) -> Response:
    found = _import(call)
    if not found.failed:
        raise RuleError(404, "ERROR_REPORT_NOT_FOUND", f"The import '{found.import_id}' has no error report")
    report = io.StringIO()
    delimiter = "," if call.shop.delimiter_name == "COMMA" else ";"
    writer = csv.writer(report, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["error-line", "error-message", *found.header])
    writer.writerows([number, reason, *cells] for number, reason, cells in found.failed)
    return Response(report.getvalue().encode(), media_type="text/csv;charset=UTF-8")


def _receive_stock(account: MiraklAccount, data: dict[str, Any], at: datetime, is_replay: bool) -> None:
    shop = account.shops[data["shop_id"]]
    if not is_replay:
        shop.receive_stock(data["import_id"], data["text"], at, time.monotonic())
        return
    account.import_count = max(account.import_count, int(data["import_id"]))
    shop.apply_stock(shop.receive_stock(data["import_id"], data["text"], at, 0.0))


WRITES = (
    Endpoint("STO01", "POST", "/api/offers/stock/imports", _import_stock, limits=((1, MINUTE),)),
    Endpoint("STO02", "GET", "/api/offers/stock/imports/{import_id}/status", _import_status, limits=((1, 15.0),)),
    Endpoint(
        "STO03", "GET", "/api/offers/stock/imports/{import_id}/error_report", _import_errors, limits=((1, MINUTE),)
    ),
)
APPLIERS = {"STO01": _receive_stock}
