"""The platform's two ways of paging: by offset with links and a total, and by seek with opaque tokens."""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from sandbox.mirakl.calls import BadParameter, Call, json_response
from sandbox.seek import Position, Question, SeekPage, TokenError, seal, unseal


def offset_page(call: Call, name: str, total: int, bodies: Callable[[int, int], list[bytes]]) -> Response:
    """`{name: [...], total_count}` with `Link` to the neighbouring pages. `bodies(start, stop)` gives the records."""
    size = call.whole("max", 10, 1, 100)
    offset = call.whole("offset", 0, 0, None)
    url = call.request.url
    links = []
    if offset > 0:
        links.append((max(0, offset - size), "previous"))
    if offset + size < total:
        links.append((offset + size, "next"))
    header = ", ".join(
        f'<{url.include_query_params(max=size, offset=start)}>; rel="{relation}"' for start, relation in links
    )
    body = b",".join(bodies(offset, offset + size))
    content = b'{"%s":[%s],"total_count":%d}' % (name.encode(), body, total)
    return json_response(content, 200, {"Link": header} if header else None)


def is_descending(call: Call) -> bool:
    """`order=asc|desc` of an offset-paged call."""
    return call.one("order", frozenset({"asc", "desc"}), "asc") == "desc"


Filters = dict[str, tuple[str, ...]]


def question_of(
    call: Call, sorts: tuple[str, ...], limit: int, read_filters: Callable[[], Filters]
) -> tuple[Question, Position | None]:
    """What is asked and where the page starts: from the token, which lets every other parameter be ignored, or anew.

    `sorts`: criteria of the call, the first is the default, descending. `limit`: the largest page.
    """
    token = call.text("page_token")
    if token:
        try:
            return unseal(token, call.code, call.account.salt)
        except TokenError:
            raise BadParameter("page_token", "the page token is not valid") from None
    filters = read_filters()
    sort, _, direction = (call.text("sort") or f"{sorts[0]},DESC").partition(",")
    if sort not in sorts or direction.upper() not in ("", "ASC", "DESC"):
        raise BadParameter("sort", f"'{call.text('sort')}' is not a valid value for 'sort'")
    question = Question(
        call=call.code,
        shop_id=call.shop.shop_id,
        sort=sort,
        is_descending=direction.upper() == "DESC",
        limit=call.whole("limit", 10, 1, limit),
        filters=tuple(sorted((name, values) for name, values in filters.items() if values)),
    )
    return question, None


def times(call: Call, *names: str) -> Filters:
    """Date-time parameters as filters, in milliseconds."""
    found = {name: call.time(name) for name in names}
    return {name: (str(value),) for name, value in found.items() if value is not None}


def bound(filters: Mapping[str, frozenset[str]], name: str) -> int | None:
    """A date-time filter in milliseconds."""
    return next((int(value) for value in filters.get(name, ())), None)


def seek_response(bodies: list[bytes], question: Question, page: SeekPage, salt: str) -> Response:
    content = [b'{"data":[', b",".join(bodies), b"]"]
    for name, position in (("next_page_token", page.following), ("previous_page_token", page.preceding)):
        if position is not None:
            content.append(b',"%s":"%s"' % (name.encode(), seal(question, position, salt).encode()))
    content.append(b"}")
    return json_response(b"".join(content))
