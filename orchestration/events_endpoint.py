"""The endpoint for signed events of the ERPs (NetSuite user events, hooks of a desktop ERP).

`uvicorn --factory orchestration.events_endpoint:application --host 127.0.0.1 --port 8710`, behind a proxy that speaks
TLS. `POST /events/{erp_code}` with the headers `X-Tieout-Timestamp` and `X-Tieout-Signature` answers 202 for an event,
200 for one that is known, 401 for everything that is not genuine. It opens neither warehouse nor outbox and calls no
vendor: the sensor `heed_events` starts the dispatch lane.
"""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestration.lib.events import MAXIMUM_BODY_BYTES, Received, Verdict, receive
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings

STATUS = {Verdict.ACCEPTED: 202, Verdict.KNOWN: 200, Verdict.REFUSED: 401}


def application(settings: Settings | None = None) -> Starlette:
    """The ASGI application, for the companies that are enabled in erps.csv when it starts. Raises ConfigInvalid."""
    found = settings or Settings()
    erp_codes = frozenset(erp.erp_code for erp in load_registry(found.config_dir).erps if erp.is_enabled)

    async def take(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"status": "TOO_LARGE"}, 413)
        event = Received(
            request.path_params["erp_code"],
            request.headers.get("x-tieout-timestamp", ""),
            request.headers.get("x-tieout-signature", ""),
            body,
        )
        verdict = await asyncio.to_thread(receive, found, event, erp_codes)
        return JSONResponse({"status": verdict.value}, STATUS[verdict])

    return Starlette(routes=[Route("/events/{erp_code}", take, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The body, None when it is larger than any event; not read further than that."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAXIMUM_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
