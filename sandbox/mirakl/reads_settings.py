"""Reads of what a shop and its platform are set to: version, account, platform configuration, carriers."""

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import DAY, Call, Endpoint, json_response


async def _version(_call: Call) -> Response:
    return json_response(b'{"version":"3.1187"}')


async def _account(call: Call) -> Response:
    return json_response(jsonio.encode(call.shop.account))


async def _platform(call: Call) -> Response:
    return json_response(jsonio.encode(call.shop.platform))


async def _carriers(call: Call) -> Response:
    return json_response(jsonio.encode({"carriers": call.shop.carriers}))


READS = (
    Endpoint("V01", "GET", "/api/version", _version, roles=frozenset()),
    Endpoint("A01", "GET", "/api/account", _account, limits=((1, DAY),)),
    Endpoint("PC01", "GET", "/api/platform/configuration", _platform),
    Endpoint("SH21", "GET", "/api/shipping/carriers", _carriers, limits=((1, DAY),)),
)
