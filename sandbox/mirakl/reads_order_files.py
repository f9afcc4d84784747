"""The files of orders' documents: OR73 sends one as it is, and several as a ZIP with a folder per order."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.mirakl.calls import Call, Endpoint, admin_or
from sandbox.mirakl.values import BadParameter
from sandbox.mirakl_shop import RuleError

EARLIEST_IN_ZIP = (1980, 1, 1, 0, 0, 0)


async def _download(call: Call) -> Response:
    query = call.query
    document_ids = query.whole_numbers("document_ids", "COMMA")
    order_ids = query.many("order_ids", form="COMMA")
    codes = query.many("document_codes", form="COMMA")
    if not document_ids and not order_ids:
        raise BadParameter("order_ids", "At least one of 'order_ids' and 'document_ids' must be present")
    found = [
        document
        for document in call.shop.order_documents
        if (not document_ids or str(document["id"]) in document_ids)
        and (not order_ids or document["order_id"] in order_ids)
        and (not codes or document["type"] in codes)
    ]
    if not found:
        raise RuleError(404, "DOCUMENT_NOT_FOUND", "No document matches")
    if len(document_ids) == 1:
        return _file(_content(found[0]), found[0]["file_name"], "application/octet-stream")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for document in found:
            name = f"{document['order_id']}/{document['file_name']}"
            target.writestr(zipfile.ZipInfo(name, EARLIEST_IN_ZIP), _content(document))
    return _file(archive.getvalue(), "documents.zip", "application/zip")


def _content(document: Mapping[str, Any]) -> bytes:
    """As many bytes as the list says; what a person wrote on paper is no part of these worlds."""
    head = f"{document['type']} {document['id']} of {document['order_id']}\n".encode()
    return head.ljust(document.get("file_size") or 0, b".")


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


READS = (Endpoint("OR73", "GET", "/api/orders/documents/download", _download, admin_or("ORDER_DOCUMENT_READ")),)
