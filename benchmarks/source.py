r"""A Mirakl source for benchmarks: the sandbox's own pages, multiplied, and served as fast as bytes can be sent.

    python -m benchmarks.source --sandbox http://127.0.0.1:8800/mirakl/BRICO --key KEY --shop 2042 \
        --orders 100000 --lines 1000000 --port 8960

It reads every order (OR11) and transaction line (TL02) of a small sandbox world once, repeats them with other ids until
there are as many as asked for, and keeps the finished pages in memory, so that what is measured is the reader. Paging
works as Mirakl's does: `max`/`offset` with a Link header, `limit`/`page_token` with `next_page_token`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ORDER_PAGE, LINE_PAGE = 100, 2000
_LINE_ID = re.compile(rb'"id":"[0-9a-f]{2}(?=[0-9a-f]{6}-[0-9a-f]{4}-)')
_ORDER_ID = re.compile(rb"BRICO26")


class _Orders(msgspec.Struct):
    orders: list[msgspec.Raw]
    total_count: int


class _Lines(msgspec.Struct):
    data: list[msgspec.Raw]
    next_page_token: str | None = None


def read_orders(client: httpx.Client, shop: str) -> list[bytes]:
    found: list[bytes] = []
    while True:
        parameters = {"shop_id": shop, "max": str(ORDER_PAGE), "offset": str(len(found))}
        page = msgspec.json.decode(client.get("api/orders", params=parameters).raise_for_status().content, type=_Orders)
        found.extend(map(bytes, page.orders))
        if len(found) >= page.total_count or not page.orders:
            return found


def read_lines(client: httpx.Client, shop: str) -> list[bytes]:
    found: list[bytes] = []
    parameters = {"shop_id": shop, "limit": str(LINE_PAGE)}
    while True:
        answer = client.get("api/sellerpayment/transactions_logs", params=parameters).raise_for_status()
        page = msgspec.json.decode(answer.content, type=_Lines)
        found.extend(map(bytes, page.data))
        if not page.next_page_token:
            return found
        parameters = {"shop_id": shop, "page_token": page.next_page_token}


def repeated(records: list[bytes], wanted: int, pattern: re.Pattern[bytes], form: str) -> Iterator[bytes]:
    """`wanted` records; those of each round have ids of their own."""
    given = 0
    for number in range(100):
        replacement = (form % number).encode()
        for record in records:
            if given == wanted:
                return
            yield pattern.sub(replacement, record)
            given += 1
    raise SystemExit(f"a world of {len(records)} records cannot be repeated into {wanted}: take a larger sandbox")


def pages(records: Iterator[bytes], size: int) -> list[bytes]:
    """Pages of `size` records, each without its brackets."""
    result, page = [], []
    for record in records:
        page.append(record)
        if len(page) == size:
            result.append(b",".join(page))
            page = []
    if page:
        result.append(b",".join(page))
    return result


def application(order_pages: list[bytes], order_count: int, line_pages: list[bytes]) -> Starlette:
    async def orders(request: Request) -> Response:
        offset = int(request.query_params.get("offset", "0"))
        number = offset // ORDER_PAGE
        if request.query_params.get("max") == "1":  # a question for the number of orders only
            body = b'{"orders":[],"total_count":%d}' % order_count
            return Response(body, media_type="application/json")
        body = b'{"orders":[%s],"total_count":%d}' % (order_pages[number], order_count)
        headers = {}
        if number + 1 < len(order_pages):
            query = f"max={ORDER_PAGE}&offset={offset + ORDER_PAGE}"
            headers["link"] = f'<{request.url.replace(query=query)}>; rel="next"'
        return Response(body, media_type="application/json", headers=headers)

    async def lines(request: Request) -> Response:
        number = int(request.query_params.get("page_token", "0"))
        following = b',"next_page_token":"%d"' % (number + 1) if number + 1 < len(line_pages) else b""
        return Response(b'{"data":[%s]%s}' % (line_pages[number], following), media_type="application/json")

    return Starlette(
        routes=[Route("/api/orders", orders), Route("/api/sellerpayment/transactions_logs", lines)],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--shop", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    client = httpx.Client(base_url=options.sandbox + "/", headers={"Authorization": options.key}, timeout=60)
    order_pages = pages(repeated(read_orders(client, options.shop), options.orders, _ORDER_ID, "BRICO%02d"), ORDER_PAGE)
    line_pages = pages(repeated(read_lines(client, options.shop), options.lines, _LINE_ID, '"id":"%02x'), LINE_PAGE)
    sys.stderr.write(f"{options.orders} orders, {options.lines} lines\n")
    server = application(order_pages, options.orders, line_pages)
    uvicorn.run(server, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
