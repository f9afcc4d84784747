"""Files as multipart/form-data, the way Mirakl's import calls take them."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.delivery import Request
from connectors.http import Answer, Call, with_query
from connectors.mirakl.writes.sending import Desk


def send_file(
    desk: Desk, call: Call, path: str, name: str, content: bytes, fields: Mapping[str, str] | None = None
) -> Answer:
    """Sends once. Raises a ConnectorError."""
    parts: dict[str, tuple[str | None, bytes | str, str] | tuple[None, str]] = {"file": (name, content, "text/csv")}
    for field, value in (fields or {}).items():
        parts[field] = (None, value)
    return desk.client.write(call, path, parameters=desk.parameters, files=parts)


def file_request(desk: Desk, path: str, name: str, content: bytes, fields: Mapping[str, str] | None = None) -> Request:
    """The request as it would be sent, for people: the body is the file's content."""
    others = "".join(f"; {field}={value}" for field, value in (fields or {}).items())
    return Request(
        "POST",
        str(with_query(desk.client.url(path), desk.parameters)),
        {"Authorization": "***", "Content-Type": f"multipart/form-data; name=file; filename={name}{others}"},
        content.decode(),
    )
