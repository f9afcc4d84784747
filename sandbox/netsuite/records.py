"""The record service: read, create, update, upsert, transform and delete, with the vendor's refusals."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.netsuite.books import Books, Posting
from sandbox.netsuite.contract import LISTS, TRANSACTIONS, WRITABLE, contract, record_names
from sandbox.netsuite.documents import document
from sandbox.netsuite.fulfilment import fulfilment, take_back
from sandbox.netsuite.postings import POSTINGS, credit_for, credit_memo
from sandbox.netsuite.problems import Refusal, invalid_value

CUSTOM = ("custbody", "custcol")
TRANSFORMS = {("salesOrder", "itemFulfillment"), ("invoice", "creditMemo")}
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]+")
# Names that the published lists lack and the help's samples use.
_ALSO = {"apply": {"doc", "line", "apply", "amount"}, "item": {"itemreceive"}}
_ALSO_LISTS = {"customerPayment": {"apply": {}}, "creditMemo": {"apply": {}}}
# A line of a sublist is known by this.
_KEYS = {"payment": "id", "apply": "doc"}
_HEADER_COLUMNS = {"memo": "memo", "tranId": "tranid"}
ZERO = Decimal(0)
NO_SUCH_RECORD = "The record instance does not exist. Provide a valid record instance ID."


@dataclass(frozen=True)
class Asked:
    """One call of the record service."""

    method: str
    record: str
    record_id: str | None
    sublist: str | None
    target: str | None
    body: dict[str, Any]
    query: Mapping[str, str]
    validation: str
    base_url: str


@dataclass
class Done:
    """An answer: without a body it is a 204."""

    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Remember = Callable[[str, Asked], None]


class RecordService:
    """Answers calls on records of the account. Raises Refusal.

    `remember` is told the record's name and the call of every write that is carried out, before it takes effect.
    """

    def __init__(self, books: Books, remember: Remember | None = None) -> None:
        self._books = books
        self._database = books.database
        self._remember = remember

    def answer(self, asked: Asked, *, is_replay: bool = False) -> Done:
        record = record_names().get(asked.record.lower())
        if record is None or record not in {*TRANSACTIONS, *LISTS}:
            raise Refusal(f"Record type '{asked.record}' does not exist.", "NONEXISTENT_ID", 404, url=asked.record)
        if asked.method == "GET":
            return self._read(asked, record)
        written = record_names().get((asked.target or record).lower(), record)
        self._refuse_without_permission(written)
        # One writer at a time: the vendor locks what it writes, and an outcome is whole or nothing.
        with self._database.writing():
            done = self._write(asked, record)
            if self._remember is not None and not is_replay:
                self._remember(written, asked)
        return done

    def _write(self, asked: Asked, record: str) -> Done:
        if asked.target is not None:
            return self._transform(asked, record)
        if record not in WRITABLE:
            raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)
        if asked.record_id is None:
            if asked.method != "POST":
                raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)
            return self._create(asked, record)
        if asked.sublist is not None:
            raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)
        if asked.method == "PUT":
            return self._upsert(asked, record)
        if asked.method in ("PATCH", "DELETE"):
            number = self._find(record, asked.record_id)
            return self._update(asked, record, number) if asked.method == "PATCH" else self._delete(record, number)
        raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)

    def _refuse_without_permission(self, record: str) -> None:
        if record not in self._books.settings.denied_records:
            return
        if self._books.settings.denied_status == 403:
            raise Refusal("Permission violation.", "INSUFFICIENT_PERMISSION", 403)
        raise Refusal("Your current role does not have permission to perform this action.")

    # --- reading

    def _read(self, asked: Asked, record: str) -> Done:
        if asked.record_id is None:
            return self._list(asked, record)
        number = self._find(record, asked.record_id)
        row = self._database.row("transaction" if record in TRANSACTIONS else LISTS[record], number)
        assert row is not None
        is_expanded = asked.query.get("expandSubResources") == "true" or asked.sublist is not None
        shown = document(self._books, record, row, asked.base_url, is_expanded)
        if asked.sublist is None:
            return Done(shown)
        if asked.sublist not in shown:
            raise Refusal(NO_SUCH_RECORD, "NONEXISTENT_ID", 404)
        return Done(shown[asked.sublist])

    def _list(self, asked: Asked, record: str) -> Done:
        """Ids and links, in no order that means anything. Filters are not offered."""
        limit, offset = (asked.query.get(name, default) for name, default in (("limit", "1000"), ("offset", "0")))
        if not limit.isdigit() or not offset.isdigit() or not 1 <= int(limit) <= 1000 or int(offset) % int(limit):
            raise Refusal("Provide a valid limit and offset.", "INVALID_PARAMETER", queryParam="limit")
        if "q" in asked.query:
            raise Refusal("Invalid filter expression.", "INVALID_PARAMETER", queryParam="q")
        table, where = (
            (LISTS[record], "TRUE") if record in LISTS else ("transaction", f"type = '{TRANSACTIONS[record]}'")
        )
        total = min(int(self._database.value(f'SELECT count(*) FROM "{table}" WHERE {where}')), int(limit) * 1000)  # noqa: S608
        rows = self._database.rows(table, f"{where} ORDER BY hash(id) LIMIT {int(limit)} OFFSET {int(offset)}")
        items = []
        for row in rows:
            href = f"{asked.base_url}/{record.lower()}/{row['id']}"
            items.append({"links": [{"rel": "self", "href": href, "method": "GET"}], "id": str(row["id"])})
        body = {
            "links": [{"rel": "self", "href": f"{asked.base_url}/{record.lower()}", "method": "GET"}],
            "count": len(items),
            "hasMore": int(offset) + len(items) < total,
            "items": items,
            "offset": int(offset),
            "totalResults": total,
        }
        return Done(body)

    def _find(self, record: str, text: str) -> int:
        """The id behind an id or an `eid:`. An unknown transaction id is a 400, as seen live; anything else a 404."""
        table = "transaction" if record in TRANSACTIONS else LISTS[record]
        if text.startswith("eid:"):
            found = self._by_external_id(record, text[4:])
            if found is None:
                raise Refusal(NO_SUCH_RECORD, "NONEXISTENT_ID", 404)
            return found
        row = self._database.row(table, int(text)) if text.lstrip("-").isdigit() else None
        if row is None or (record in TRANSACTIONS and row["type"] != TRANSACTIONS[record]):
            if record in TRANSACTIONS:
                raise Refusal("Error while accessing a resource. Transaction type specified is incorrect.")
            raise Refusal(NO_SUCH_RECORD, "NONEXISTENT_ID", 404)
        return int(row["id"])

    def _by_external_id(self, record: str, external_id: str, is_any_type: bool = False) -> int | None:
        where, values = "externalid = ?", [external_id]
        if record in TRANSACTIONS and not is_any_type:
            where, values = f"{where} AND type = ?", [external_id, TRANSACTIONS[record]]
        rows = self._database.rows("transaction" if record in TRANSACTIONS else LISTS[record], where, values)
        return int(rows[0]["id"]) if rows else None

    # --- writing

    def _create(self, asked: Asked, record: str) -> Done:
        if record == "itemFulfillment":
            raise Refusal("Error while accessing a resource. Copy and Create not supported.")
        body, headers = _known(record, asked.body, asked.validation)
        external_id = self._fresh_external_id(record, body.get("externalId"))
        number = self._save(record, None, external_id, POSTINGS[record](self._books, body), body)
        return self._saved(asked, record, number, headers)

    def _transform(self, asked: Asked, record: str) -> Done:
        target = record_names().get((asked.target or "").lower(), "")
        if asked.method != "POST" or (record, target) not in TRANSFORMS:
            raise Refusal(f"Transformation from {record} to {asked.target} is not supported.", "INVALID_REQUEST")
        body, headers = _known(target, asked.body, asked.validation)
        source = self._find(record, asked.record_id or "")
        external_id = self._fresh_external_id(target, body.get("externalId"))
        if target == "itemFulfillment":
            posting = fulfilment(self._books, source, body)
        else:
            posting = credit_memo(self._books, credit_for(self._books, source) | body)
        number = self._save(target, None, external_id, posting, body)
        return self._saved(asked, target, number, headers)

    def _upsert(self, asked: Asked, record: str) -> Done:
        text = asked.record_id or ""
        if not text.startswith("eid:"):
            raise Refusal("PUT needs an external id in the URL.", "INVALID_REQUEST")
        found = self._by_external_id(record, text[4:])
        if found is not None:
            return self._update(asked, record, found)
        return self._create(
            Asked(**{**vars(asked), "body": {**asked.body, "externalId": text[4:]}, "record_id": None}), record
        )

    def _update(self, asked: Asked, record: str, number: int) -> Done:
        """Omitted fields stay, null clears; lines merge or are replaced. The record is posted anew as a whole."""
        if record == "itemFulfillment":
            raise Refusal("Method not allowed.", "INVALID_REQUEST", 405)
        if record == "customerPayment" and self._database.rows("nexttransactionlink", "previousdoc = ?", [number]):
            raise Refusal("Error while accessing a resource. A payment that was deposited cannot be changed.")
        body, headers = _known(record, asked.body, asked.validation)
        replaced = {name for name in asked.query.get("replace", "").split(",") if name}
        row = self._database.row("transaction", number) or {}
        current = document(self._books, record, row, asked.base_url, is_expanded=True)
        if record == "journalEntry":
            # Whether it is approved follows from what is sent now or from what it was.
            current.pop("approved" if "approvalStatus" in body else "approvalStatus")
        if record == "salesOrder" and row.get("status") not in ("A", "B"):
            self._keep_order_lines(body)
            current["orderStatus"] = {"id": "B"}
        merged = _merged(current, body, replaced)
        external_id = row.get("externalid")
        if merged.get("externalId") != external_id:
            external_id = self._fresh_external_id(record, merged.get("externalId"))
        self._books.undo(number)
        posting = POSTINGS[record](self._books, merged)
        self._carry_over(record, row, posting)
        self._save(record, number, external_id, posting, merged)
        return self._saved(asked, record, number, headers)

    @staticmethod
    def _keep_order_lines(body: dict[str, Any]) -> None:
        if "item" in body:
            raise Refusal("Error while accessing a resource. Lines of a fulfilled or billed order cannot be changed.")

    def _carry_over(self, record: str, row: dict[str, Any], posting: Posting) -> None:
        if record != "salesOrder":
            return
        if row.get("status") not in ("A", "B"):
            posting.header["status"] = row["status"]
        old = {line["id"]: line for line in self._database.rows("transactionline", '"transaction" = ?', [row["id"]])}
        for line in posting.lines:
            before = old.get(line["id"], {})
            names = ("quantityshiprecv", "quantitycommitted", "quantitybilled", "isfullyshipped")
            line |= {name: before[name] for name in names if name in before}
            if line.get("isclosed") == "T" and line.get("quantitycommitted"):
                self._free(line)

    def _free(self, line: dict[str, Any]) -> None:
        """A closed line wants its goods no more."""
        key, place = "item = ? AND location = ?", [line["item"], line.get("location")]
        for held in self._database.rows("inventoryitemlocations", key, place):
            freed = min(line["quantitycommitted"], held.get("quantitycommitted", line["quantitycommitted"]))
            changes = {
                "quantitycommitted": held.get("quantitycommitted", freed) - freed,
                "quantityavailable": held.get("quantityavailable", ZERO) + freed,
                "lastquantityavailablechange": self._books.now(),
            }
            self._database.update("inventoryitemlocations", changes, key, place)
        line["quantitycommitted"] = ZERO

    def _delete(self, record: str, number: int) -> Done:
        if self._database.rows("nexttransactionlink", "previousdoc = ?", [number]):
            raise Refusal("This record cannot be deleted because it has dependent records.")
        if record == "itemFulfillment":
            take_back(self._books, number)
        self._books.remove(record, number)
        return Done()

    def _fresh_external_id(self, record: str, external_id: Any) -> str | None:
        if external_id is None:
            return None
        if not isinstance(external_id, str) or not EXTERNAL_ID.fullmatch(external_id):
            raise invalid_value(external_id, "externalId", "externalId")
        is_any_type = self._books.settings.external_id_scope == "transactions"
        if self._by_external_id(record, external_id, is_any_type) is not None:
            raise Refusal("Error while accessing a resource. This record already exists.")
        return external_id

    def _save(
        self, record: str, number: int | None, external_id: str | None, posting: Posting, body: dict[str, Any]
    ) -> int:
        for name, column in _HEADER_COLUMNS.items():
            if body.get(name) is not None:
                posting.header[column] = body[name]
        custom = {name: value for name, value in body.items() if name.startswith(CUSTOM)}
        addresses = {name: body[name] for name in ("billingAddress", "shippingAddress") if name in body}
        posting.extras = custom | addresses
        return self._books.save(record, number, external_id, posting)

    @staticmethod
    def _saved(asked: Asked, record: str, number: int, headers: dict[str, str]) -> Done:
        return Done(headers={"Location": f"{asked.base_url}/{record.lower()}/{number}", **headers})


def _known(record: str, body: dict[str, Any], validation: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The body without properties the record does not have; or, when validation is `error`, a refusal of the first.

    With `warning`, the vendor's default, they are dropped and only a response header tells.
    """
    spec = contract()["records"][record]
    lists = {**_ALSO_LISTS.get(record, {}), **spec["sublists"]}
    kept, dropped = {}, []
    for name, value in body.items():
        if name.startswith(CUSTOM):
            kept[name] = value
        elif name in lists and isinstance(value, dict) and isinstance(value.get("items"), list):
            kept[name], lost = _known_lines(name, value, {*lists[name], *_ALSO.get(name, ())})
            dropped += lost
        elif name in spec["fields"] or name in lists:
            kept[name] = value
        else:
            dropped.append(name)
    if dropped and validation == "error":
        detail = f"Unknown property or field name: {dropped[0]}."
        raise Refusal(f"Error while accessing a resource. {detail}", "INVALID_CONTENT", path=dropped[0])
    if dropped and validation == "warning":
        return kept, {"X-NetSuite-PropertyNameValidation": "warning; unknown: " + ", ".join(dropped)}
    return kept, {}


def _known_lines(sublist: str, value: dict[str, Any], names: set[str]) -> tuple[dict[str, Any], list[str]]:
    items, dropped = [], []
    for number, item in enumerate(value["items"]):
        if not isinstance(item, dict):
            raise Refusal(f"Invalid content for the sublist {sublist}.", "INVALID_CONTENT", path=sublist)
        is_known = {name: name in names or name.startswith(CUSTOM) for name in item}
        items.append({name: part for name, part in item.items() if is_known[name]})
        dropped += [f"{sublist}.items[{number}].{name}" for name, known in is_known.items() if not known]
    return {**value, "items": items}, dropped


def _merged(current: dict[str, Any], body: dict[str, Any], replaced: set[str]) -> dict[str, Any]:
    """`body` laid over the record. Without `replace`, a line without a key is added, so re-sent lines double."""
    merged = {name: value for name, value in current.items() if name not in body}
    for name, value in body.items():
        is_sublist = isinstance(value, dict) and isinstance(value.get("items"), list)
        if not is_sublist:
            if value is not None:
                merged[name] = value
            continue
        key = _KEYS.get(name, "line")
        old = {_key(item.get(key)): item for item in current.get(name, {}).get("items", [])}
        named = {_key(item[key]): item for item in value["items"] if item.get(key) is not None}
        added = [item for item in value["items"] if item.get(key) is None]
        updated = {number: {**old.get(number, {}), **item} for number, item in named.items()}
        kept = {} if name in replaced else old
        # A line sent with one side of a journal loses the other.
        for number, item in named.items():
            for side, other in (("debit", "credit"), ("credit", "debit")):
                if side in item:
                    updated[number].pop(other, None)
            if "amount" not in item and {"rate", "quantity"} & item.keys():
                updated[number].pop("amount", None)
        merged[name] = {"items": [*({**kept, **updated}).values(), *added]}
    return merged


def _key(value: Any) -> str:
    return str(value.get("id") if isinstance(value, dict) else value)
