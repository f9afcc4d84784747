"""Changes to a shop's records that come from nowhere: what happens on a live platform while a client pages through it.

A mutation waits for a call and is applied before the page after the first ones is answered, or at once. It is no
client's write: it is not in the write journal, and a reset takes it back.
"""

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.mirakl.account import MiraklAccount
from sandbox.mirakl_shop import MiraklShop

Action = Literal["touch", "set", "insert", "remove"]
Record = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What happens to some records of one feed.

    - touch: they are updated now. set: `values` replace members, and they are updated now.
    - insert: a copy of each comes into being under the id at the same place of `new_ids`.
    - remove: they are gone; an offer is then known as deleted.

    "Now" is `at` when given, else `seconds` after the sandbox's time.
    """

    feed: str
    action: Action
    ids: tuple[str, ...]
    new_ids: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    at: str | None = None

    def time(self, now: datetime) -> datetime:
        return datetime.fromisoformat(self.at) if self.at else now + timedelta(seconds=self.seconds)


@dataclass
class Mutation:
    """Changes to one shop, due before the call after the next `after` calls of `call`; None: at once."""

    marketplace: str
    shop_id: int
    changes: tuple[Change, ...]
    call: str | None = None
    after: int = 0

    def is_due(self, code: str, shop_id: int) -> bool:
        if (self.call, self.shop_id) != (code, shop_id):
            return False
        self.after -= 1
        return self.after < 0


@dataclass(frozen=True)
class _Feed:
    """Where a feed's records are and how they are known. `find` raises KeyError."""

    id_name: str
    created: str | None
    updated: str | None
    find: Callable[[MiraklShop, str], Record]
    put: Callable[[MiraklShop, Record, datetime], None]
    remove: Callable[[MiraklShop, str, datetime], None]


def mutation_from(body: Any) -> Mutation:
    """A mutation from a control request. Raises ValueError with what is wrong."""
    if not isinstance(body, dict) or not isinstance(body.get("changes"), list):
        raise ValueError("a mutation has marketplace, shop_id, changes, and call and after when it is to wait")
    try:
        changes = tuple(_change(part) for part in body["changes"])
        return Mutation(**(body | {"changes": changes}))
    except TypeError as error:
        raise ValueError(str(error)) from error


def _change(part: dict[str, Any]) -> Change:
    change = Change(**{name: tuple(value) if isinstance(value, list) else value for name, value in part.items()})
    if change.feed not in FEEDS or change.action not in get_args(Action):
        raise ValueError(f"a change has a feed of {', '.join(FEEDS)} and an action of {', '.join(get_args(Action))}")
    if change.action == "insert" and len(change.ids) != len(change.new_ids):
        raise ValueError("an insertion needs a new id for each record that it copies")
    if change.at and datetime.fromisoformat(change.at).tzinfo is None:
        raise ValueError("'at' needs a time zone")
    return change


def apply_due(account: MiraklAccount, code: str, shop_id: int) -> None:
    """Applies and forgets what was waiting for this call."""
    for mutation in [one for one in account.mutations if one.is_due(code, shop_id)]:
        account.mutations.remove(mutation)
        apply(account, mutation)


def apply(account: MiraklAccount, mutation: Mutation) -> None:
    """Applies a mutation. Raises KeyError at a shop or a record that is not there; changes before it stay."""
    shop = account.shops[mutation.shop_id]
    written = set(shop.changed_orders)
    for change in mutation.changes:
        at = change.time(account.clock.now())
        for number, record_id in enumerate(change.ids):
            _apply(shop, FEEDS[change.feed], change, record_id, at, number)
    # What clients changed is compared in tests; this was none of it.
    shop.changed_orders &= written


def _apply(shop: MiraklShop, feed: _Feed, change: Change, record_id: str, at: datetime, number: int) -> None:
    if change.action == "remove":
        feed.remove(shop, record_id, at)
        return
    record: Record = jsonio.decode(jsonio.encode(feed.find(shop, record_id)))
    stamps = {feed.updated: stamp(at)} if feed.updated else {}
    if change.action == "insert":
        new_id = change.new_ids[number]
        # Ids within the record hang on its own: order lines, most of all.
        text = jsonio.encode(record).replace(record_id.encode(), new_id.encode())
        record = jsonio.decode(text)
        record[feed.id_name] = new_id
        stamps |= {feed.created: stamp(at)} if feed.created else {}
    feed.put(shop, record | stamps | change.values, at)


def _line_position(shop: MiraklShop, line_id: str) -> int:
    for position, line in enumerate(shop.lines):
        if line_id.encode() in line.body and jsonio.decode(line.body)["id"] == line_id:
            return position
    raise KeyError(line_id)


def _put_line(shop: MiraklShop, record: Record, _at: datetime) -> None:
    try:
        shop.change_line(_line_position(shop, record["id"]), record)
    except KeyError:
        shop.add_lines([record])


def _mapped(read: Callable[[MiraklShop], MutableMapping[str, Record]], created: str, updated: str) -> _Feed:
    return _Feed(
        "id",
        created,
        updated,
        find=lambda shop, record_id: read(shop)[record_id],
        put=lambda shop, record, _: read(shop).__setitem__(record["id"], record),
        remove=lambda shop, record_id, _: read(shop).__delitem__(record_id),
    )


def _listed(
    read: Callable[[MiraklShop], list[Record]],
    created: str | None,
    updated: str | None,
    put: Callable[[MiraklShop, Record, datetime], None] | None = None,
    id_name: str = "id",
) -> _Feed:
    def position(shop: MiraklShop, record_id: str) -> int:
        return _position(read(shop), id_name, record_id)

    def put_in_place(shop: MiraklShop, record: Record, _at: datetime) -> None:
        records = read(shop)
        try:
            records[position(shop, record[id_name])] = record
        except KeyError:
            records.append(record)

    return _Feed(
        id_name,
        created,
        updated,
        find=lambda shop, record_id: read(shop)[position(shop, record_id)],
        put=put or put_in_place,
        remove=lambda shop, record_id, _: read(shop).pop(position(shop, record_id)) and None,
    )


def _position(records: Iterable[Record], id_name: str, record_id: str) -> int:
    for position, record in enumerate(records):
        if record[id_name] == record_id:
            return position
    raise KeyError(record_id)


FEEDS = {
    "orders": _Feed(
        "order_id",
        "created_date",
        "last_updated_date",
        find=lambda shop, record_id: shop.orders[record_id].record(),
        put=lambda shop, record, _: shop.put_order(record),
        remove=lambda shop, record_id, _: shop.remove_order(record_id),
    ),
    "transaction_lines": _Feed(
        "id",
        "date_created",
        "last_updated",
        find=lambda shop, record_id: jsonio.decode(shop.lines[_line_position(shop, record_id)].body),
        put=_put_line,
        remove=lambda shop, record_id, _: shop.remove_line(_line_position(shop, record_id)),
    ),
    "offers": _Feed(
        "shop_sku",
        None,
        None,
        find=lambda shop, record_id: shop.offers[record_id],
        put=lambda shop, record, at: shop.put_offer(record, at),
        remove=lambda shop, record_id, at: shop.remove_offer(record_id, at),
    ),
    "invoices": _listed(
        lambda shop: shop.invoices, "date_created", None, put=lambda shop, record, _: shop.put_invoice(record)
    ),
    "shipments": _mapped(lambda shop: shop.shipments, "created_date", "last_updated_date"),
    "returns": _mapped(lambda shop: shop.returns, "date_created", "last_updated"),
    "document_requests": _listed(lambda shop: shop.document_requests, "date_created", "last_updated"),
    "threads": _listed(lambda shop: shop.threads, "date_created", "date_updated"),
    "items_to_ship": _listed(lambda shop: shop.items_to_ship, "shipping_date", None, id_name="order_id"),
}
