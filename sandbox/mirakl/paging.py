"""The platform's two ways of paging: by offset with links and a total, and by seek with opaque tokens."""

from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response

from sandbox import jsonio
from sandbox.mirakl.calls import Call, json_response
from sandbox.mirakl.values import BadParameter
from sandbox.seek import Position, Question, TokenError, seal, unseal


def offset_page(call: Call, name: str, total: int, bodies: Callable[[int, int], list[bytes]]) -> Response:
    """`{name: [...], total_count}` with `Link` to the neighbouring pages. `bodies(start, stop)` gives the records.

    A dot in `name` nests the list, which the calls that come from XML do: `orders.order`.
    """
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
    body = b"[%s]" % b",".join(bodies(offset, offset + size))
    outer, _, inner = name.partition(".")
    if inner:
        body = b'{"%s":%s}' % (inner.encode(), body)
    content = b'{"%s":%s,"total_count":%d}' % (outer.encode(), body, total)
    return json_response(content, 200, {"Link": header} if header else None)


def offset_records(call: Call, name: str, records: Sequence[Mapping[str, object]]) -> Response:
    """A page of plain records."""
    return offset_page(
        call, name, len(records), lambda start, stop: [jsonio.encode(record) for record in records[start:stop]]
    )


def is_descending(call: Call) -> bool:
    """`order=asc|desc` of an offset-paged call."""
    return call.one("order", frozenset({"asc", "desc"}), "asc") == "desc"


Filters = dict[str, tuple[str, ...]]


def question_of(
    call: Call,
    sorts: tuple[str, ...],
    limit: int,
    read_filters: Callable[[], Filters],
    *,
    default_limit: int = 10,
    is_ascending: bool = False,
) -> tuple[Question, Position | None]:
    """What is asked and where the page starts: from the token, which lets every other parameter be ignored, or anew.

    `sorts`: criteria of the call, the first is the default, descending unless `is_ascending`. `limit`: the largest
    page. A token that another shop's key was given is not valid.
    """
    token = call.text("page_token")
    if token:
        try:
            question, start = unseal(token, call.code, call.account.salt)
        except TokenError:
            raise BadParameter("page_token", "the page token is not valid") from None
        if question.shop_id not in call.key.shop_ids:
            raise BadParameter("page_token", "the page token is not valid")
        return question, start
    filters = read_filters()
    default = f"{sorts[0]},{'ASC' if is_ascending else 'DESC'}"
    sort, _, direction = (call.text("sort") or default).partition(",")
    if sort not in sorts or direction.upper() not in ("", "ASC", "DESC"):
        raise BadParameter("sort", f"'{call.text('sort')}' is not a valid value for 'sort'")
    question = Question(
        call=call.code,
        shop_id=call.shop.shop_id,
        sort=sort,
        is_descending=direction.upper() == "DESC",
        limit=call.whole("limit", default_limit, 1, limit),
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


def seek_response(
    bodies: list[bytes], question: Question, following: Position | None, preceding: Position | None, salt: str
) -> Response:
    """`{data, next_page_token, previous_page_token}`; at the ends of a chain the token is absent, or null.

    The published schema says absent, the published examples show null: calls differ here as they do there.
    """
    content = [b'{"data":[', b",".join(bodies), b"]"]
    for name, position in ((b"next_page_token", following), (b"previous_page_token", preceding)):
        if position is not None:
            content.append(b',"%s":"%s"' % (name, seal(question, position, salt).encode()))
        elif question.call in _NULL_AT_THE_ENDS:
            content.append(b',"%s":null' % name)
    content.append(b"}")
    return json_response(b"".join(content))


# The calls whose published example ends with null tokens.
_NULL_AT_THE_ENDS = frozenset({"ST12", "RT12", "DR11", "DR12"})
