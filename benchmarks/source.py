r"""A Mirakl source for benchmarks: the sandbox's own pages, multiplied, and served as fast as bytes can be sent.

    python -m benchmarks.source --sandbox http://127.0.0.1:8800/mirakl/BRICO --key KEY --shop 2042 \
        --orders 100000 --lines 1000000 --port 8960

It reads every order (OR11) and transaction line (TL02) of a small sandbox world once, repeats them with other ids until
there are as many as asked for; a page is finished when it is asked for, by putting a number into its ids, so that what
is measured is the reader. Paging works as Mirakl's does: `max`/`offset` with a Link header, `limit`/`page_token` with
`next_page_token`.
"""

from __future__ import annotations

import argparse
import re
import sys

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ORDER_PAGE, LINE_PAGE = 100, 2000
MARK = b"\xff\xff\xff\xff"
"""What no JSON holds, as long as the number that takes its place."""
ROUNDS = 0x10000
_LINE_ID = re.compile(rb'(?<="id":")[0-9a-f]{4}(?=[0-9a-f]{4}-[0-9a-f]{4}-)')
_ORDER_ID = re.compile(rb"(?<=BRICO)26(?=[0-9-])")


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


class Repeated:
    """`count` records in pages of `size`: those of a small world again and again, each time with ids of their own.

    One round of pages is kept, with a mark where a round's number belongs, so that memory does not grow with the count.
    """

    def __init__(self, records: list[bytes], count: int, size: int, pattern: re.Pattern[bytes]) -> None:
        whole = [pattern.sub(MARK, record) for record in records[: len(records) // size * size]]
        if not whole:
            raise SystemExit(f"a world of {len(records)} records has no page of {size}: take a larger sandbox")
        if count > len(whole) * ROUNDS:
            raise SystemExit(f"{len(whole)} records cannot be repeated into {count}: take a larger sandbox")
        self._pages = [whole[at : at + size] for at in range(0, len(whole), size)]
        self._joined = [b",".join(page) for page in self._pages]
        self._count, self._size = count, size

    def __len__(self) -> int:
        return -(-self._count // self._size)

    def __getitem__(self, number: int) -> bytes:
        """A page without its brackets."""
        turn, place = divmod(number, len(self._pages))
        rest = self._count - number * self._size
        page = self._joined[place] if rest >= self._size else b",".join(self._pages[place][:rest])
        return page.replace(MARK, b"%04x" % turn)


def application(order_pages: Repeated, order_count: int, line_pages: Repeated) -> Starlette:
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
    order_pages = Repeated(read_orders(client, options.shop), options.orders, ORDER_PAGE, _ORDER_ID)
    line_pages = Repeated(read_lines(client, options.shop), options.lines, LINE_PAGE, _LINE_ID)
    sys.stderr.write(f"{options.orders} orders, {options.lines} lines\n")
    server = application(order_pages, options.orders, line_pages)
    uvicorn.run(server, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
