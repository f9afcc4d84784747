"""The account's books: what a body may refer to, which period it falls in, and how a posting becomes rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import SandboxClock
from sandbox.netsuite.contract import WRITABLE, contract
from sandbox.netsuite.database import Database
from sandbox.netsuite.problems import Refusal, invalid_value, missing
from sandbox.netsuite.world import NetSuiteSettings

# Columns that writes fill.
WRITTEN: dict[str, tuple[str, ...]] = {
    table: tuple(names.split())
    for table, names in {
        "transaction": """
            id type recordtype tranid transactionnumber externalid trandate entity currency exchangerate foreigntotal
            foreignamountpaid foreignamountunpaid status approvalstatus posting postingperiod voided void memo
            otherrefnum createddate lastmodifieddate trandisplayname email trackingnumberlist""",
        "transactionline": """
            transaction id uniquekey mainline taxline linesequencenumber item itemtype quantity rate foreignamount
            netamount debitforeignamount creditforeignamount quantityshiprecv quantitycommitted quantitybilled location
            subsidiary department class entity createdfrom memo isclosed isfullyshipped iscogs donotdisplayline cleared
            linelastmodifieddate accountinglinetype""",
        "transactionaccountingline": """
            accountingbook transaction transactionline account amount debit credit netamount exchangerate posting
            lastmodifieddate""",
        "nexttransactionlink": "previousdoc nextdoc linktype previoustype nexttype",
        "nexttransactionlinelink": """
            previousdoc previousline nextdoc nextline linktype foreignamount lastmodifieddate previoustype nexttype""",
        "trackingnumber": "id trackingnumber",
        "trackingnumbermap": "transaction trackingnumber",
        "inventoryitemlocations": """
            item location quantityonhand quantityavailable quantitycommitted lastquantityavailablechange""",
        "deletedrecord": "recordid recordtypeid scriptid name deleteddate type",
    }.items()
}
CENT = Decimal("0.01")


@dataclass
class Posting:
    """A transaction about to be saved. Lines are columns of `transactionline`; `_account` and `_base` go to the GL.

    `foreignamount` and `_base` (the subsidiary's currency) are positive for debits, negative for credits.
    """

    header: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    tracking: list[str] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)


class Books:
    """Reads and writes the tables by the vendor's rules. Raises Refusal in the vendor's words."""

    def __init__(self, database: Database, settings: NetSuiteSettings, clock: SandboxClock, time_zone: str) -> None:
        self.database = database
        self.settings = settings
        self._clock = clock
        self._zone = ZoneInfo(time_zone)
        # What a body said that no column holds (addresses, custom fields), by transaction.
        self.extras: dict[int, dict[str, Any]] = {}

    def now(self) -> datetime:
        """UTC, whole seconds, without a zone, as the tables hold times."""
        return self._clock.now().astimezone(UTC).replace(tzinfo=None, microsecond=0)

    # --- reading a body

    def reference(self, value: Any, label: str, path: str, table: str) -> int | None:
        """The row a body points at: {"id"}, {"externalId"}, {"refName"}, or the bare id. None when nothing is sent."""
        if value is None:
            return None
        column, key = "id", value
        if isinstance(value, dict):
            column = next((name for name in ("id", "externalId") if value.get(name) is not None), "")
            key = value.get(column)
        text = str(key)
        if column == "id" and not text.lstrip("-").isdigit():
            raise invalid_value(text, label, path)
        row = self.database.row(table, int(text) if column == "id" else text, column.lower()) if column else None
        if row is None or row.get("isinactive") == "T":
            raise invalid_value(text, label, path)
        return int(row["id"])

    def entity(self, value: Any, path: str) -> int | None:
        """A customer, or anybody else that a line may name, such as a vendor."""
        try:
            return self.reference(value, "entity", path, "customer")
        except Refusal:
            return self.reference(value, "entity", path, "entity")

    def required(self, document: dict[str, Any], name: str, label: str, table: str, path: str = "") -> int:
        found = self.reference(document.get(name), name, f"{path}{name}", table)
        if found is None:
            raise missing(label)
        return found

    def account(self, item: dict[str, Any], path: str, subsidiary: int) -> dict[str, Any]:
        """The account of a line, which must be open to the subsidiary."""
        number = self.required(item, "account", "Account", "account", path)
        row = self.database.row("account", number)
        assert row is not None
        allowed = [int(part) for part in str(row.get("subsidiary", "")).split(",") if part.strip()]
        if allowed and subsidiary not in allowed and row.get("includechildren") != "T":
            raise invalid_value(number, "account", f"{path}account")
        return row

    def amount(self, value: Any, name: str, path: str, precision: int = 2) -> Decimal | None:
        if value is None:
            return None
        try:
            amount = Decimal(str(value))
        except InvalidOperation as error:
            raise invalid_value(value, name, path) from error
        if isinstance(value, bool | str | dict) or not amount.is_finite():
            raise invalid_value(value, name, path)
        if amount != amount.quantize(Decimal(1).scaleb(-precision)):
            raise invalid_value(value, name, path)
        return amount

    def day(self, document: dict[str, Any]) -> date:
        """tranDate, or today in the account's zone."""
        text = document.get("tranDate")
        if text is None:
            return self._clock.now().astimezone(self._zone).date()
        try:
            return date.fromisoformat(text)
        except (TypeError, ValueError) as error:
            raise invalid_value(text, "tranDate", "tranDate") from error

    def precision(self, currency: int) -> int:
        return int((self.database.row("currency", currency) or {}).get("currencyprecision", 2))

    def base_currency(self, subsidiary: int) -> int:
        return int((self.database.row("subsidiary", subsidiary) or {}).get("currency", 1))

    def rate(self, document: dict[str, Any], currency: int, subsidiary: int, day: date) -> Decimal:
        """Base units for one unit of the transaction's currency: sent, or the latest of the rate table."""
        base = self.base_currency(subsidiary)
        if currency == base:
            return Decimal(1)
        sent = self.amount(document.get("exchangeRate"), "exchangeRate", "exchangeRate", precision=8)
        if sent is not None:
            return sent
        found = self.database.rows(
            "currencyrate",
            "basecurrency = ? AND transactioncurrency = ? AND effectivedate <= ? ORDER BY effectivedate DESC LIMIT 1",
            [base, currency, day],
        )
        if not found:
            raise invalid_value(currency, "currency", "currency")
        return Decimal(found[0]["exchangerate"])

    def period(self, document: dict[str, Any], day: date, lock: str = "") -> int:
        """The posting period. `lock` names the lock that counts besides `alllocked`: arlocked or aplocked."""
        sent = self.reference(document.get("postingPeriod"), "postingPeriod", "postingPeriod", "accountingperiod")
        months = "isyear = 'F' AND isquarter = 'F' AND isposting = 'T'"
        if sent is not None:
            row = self.database.rows("accountingperiod", f"id = ? AND {months}", [sent])
            if not row:
                raise invalid_value(sent, "postingPeriod", "postingPeriod")
            if self._is_shut(row[0], lock):
                raise Refusal("Error while accessing a resource. The transaction period is closed or locked.")
            if not row[0]["startdate"] <= day <= row[0]["enddate"]:
                raise Refusal(
                    "Error while accessing a resource. The transaction date you specified is not within the date "
                    "range of your accounting period."
                )
            return sent
        rows = self.database.rows("accountingperiod", f"{months} AND isadjust = 'F' ORDER BY startdate")
        own = [row for row in rows if row["startdate"] <= day <= row["enddate"]]
        if own and not self._is_shut(own[0], lock):
            return int(own[0]["id"])
        later = [row for row in rows if row["startdate"] > day and not self._is_shut(row, lock)]
        if self.settings.closed_period == "first_open" and own and later:
            return int(later[0]["id"])
        raise Refusal(
            "Error while accessing a resource. Insert Transaction Failure: No valid, open, posting period for date - "
            f"{day.month}/{day.day}/{day.year}."
        )

    @staticmethod
    def _is_shut(period: dict[str, Any], lock: str) -> bool:
        return "T" in (period.get("closed"), period.get("alllocked"), period.get(lock))

    def known_month(self, name: str) -> None:
        """Raises ValueError when the books have no such month."""
        if self.database.row("accountingperiod", name, "periodname") is None:
            raise ValueError(f"no period {name!r}")

    def shut(self, name: str, *, is_shut: bool) -> None:
        """Closes or reopens a month, as a person does in NetSuite."""
        self.database.update("accountingperiod", {"closed": "T" if is_shut else "F"}, "periodname = ?", [name])

    # --- lines

    @staticmethod
    def line(
        number: int, amount: Decimal, exchange_rate: Decimal, account: int | None = None, /, **columns: Any
    ) -> dict[str, Any]:
        """One line: `amount` in the transaction's currency, debit positive; with an account it goes to the GL."""
        base = (amount * exchange_rate).quantize(CENT, ROUND_HALF_UP)
        return {
            "id": number,
            "mainline": "T" if number == 0 else "F",
            "taxline": "F",
            "donotdisplayline": "F",
            "isclosed": "F",
            "linesequencenumber": number,
            "foreignamount": amount,
            "netamount": base,
            "_account": account,
            "_base": base,
            **columns,
        }

    # --- saving

    def save(self, record: str, transaction: int | None, external_id: str | None, posting: Posting) -> int:
        """Writes header, lines, GL, links and tracking numbers; under an id given, in place of what was there."""
        database, now, code = self.database, self.now(), WRITABLE[record]
        old = database.row("transaction", transaction) if transaction is not None else None
        # The id of a deleted transaction is not given out again.
        free = max(database.next_id("transaction"), database.next_id("deletedrecord", "recordid"))
        number = transaction if transaction is not None else free
        keys: dict[int, int] = {}
        if transaction is not None:
            keys = self._unique_keys(number)
            for table, column in (("transaction", "id"), ("transactionline", "transaction")):
                database.delete(table, f'"{column}" = ?', [number])
            database.delete("transactionaccountingline", '"transaction" = ?', [number])
        tran_id = posting.header.get("tranid") or (old or {}).get("tranid") or f"{code.upper()}{number}"
        header = {
            "id": number,
            "type": code,
            "recordtype": record.lower(),
            "externalid": external_id,
            "transactionnumber": f"{code.upper()}{number}",
            "voided": "F",
            "void": "F",
            "createddate": (old or {}).get("createddate", now),
            "lastmodifieddate": now,
            "trandisplayname": f"{contract()['type_names'][code].title()} #{tran_id}",
            **posting.header,
            "tranid": tran_id,
        }
        database.insert("transaction", [header])
        self._insert_lines(number, header, posting.lines, keys)
        for link in posting.links:
            self._insert_link(number, code, link)
        self._insert_tracking(number, posting.tracking)
        self.extras[number] = posting.extras
        return number

    def _unique_keys(self, number: int) -> dict[int, int]:
        rows = self.database.rows("transactionline", '"transaction" = ?', [number])
        return {row["id"]: row["uniquekey"] for row in rows if "uniquekey" in row}

    def _insert_lines(
        self, number: int, header: dict[str, Any], lines: Sequence[dict[str, Any]], keys: dict[int, int]
    ) -> None:
        following = self.database.next_id("transactionline", "uniquekey")
        posted = [line for line in lines if line["_account"] is not None]
        if posted:
            # Converted amounts are rounded line by line; the last line takes what is left over.
            posted[-1]["_base"] -= sum((line["_base"] for line in posted), Decimal(0))
            posted[-1]["netamount"] = posted[-1]["_base"]
        books = [int(row["id"]) for row in self.database.rows("accountingbook")] or [1]
        rows, postings = [], []
        for line in lines:
            amount = line["foreignamount"]
            row = {name: value for name, value in line.items() if not name.startswith("_")}
            row |= {"debitforeignamount": amount} if amount > 0 else {"creditforeignamount": -amount}
            unique = keys.get(line["id"])
            if unique is None:
                unique, following = following, following + 1
            rows.append(row | {"transaction": number, "uniquekey": unique, "linelastmodifieddate": self.now()})
            if line["_account"] is None:
                continue
            base = line["_base"]
            postings.extend(
                {
                    "accountingbook": book,
                    "transaction": number,
                    "transactionline": line["id"],
                    "account": line["_account"],
                    "amount": base,
                    "netamount": base,
                    "debit": base if base > 0 else None,
                    "credit": -base if base < 0 else None,
                    "exchangerate": header["exchangerate"],
                    "posting": header["posting"],
                    "lastmodifieddate": self.now(),
                }
                for book in books
            )
        self.database.insert("transactionline", rows)
        self.database.insert("transactionaccountingline", postings)

    def _insert_link(self, number: int, code: str, link: dict[str, Any]) -> None:
        ends = {"nextdoc": number, "nexttype": code, **link}
        whole = {name: value for name, value in ends.items() if name in WRITTEN["nexttransactionlink"]}
        is_known = self.database.rows(
            "nexttransactionlink",
            "previousdoc = ? AND nextdoc = ? AND linktype = ?",
            [whole["previousdoc"], number, whole["linktype"]],
        )
        if not is_known:
            self.database.insert("nexttransactionlink", [whole])
        self.database.insert("nexttransactionlinelink", [{**ends, "lastmodifieddate": self.now()}])

    def _insert_tracking(self, number: int, tracking: Sequence[str]) -> None:
        for text in tracking:
            tracked = self.database.next_id("trackingnumber")
            self.database.insert("trackingnumber", [{"id": tracked, "trackingnumber": text}])
            self.database.insert("trackingnumbermap", [{"transaction": number, "trackingnumber": tracked}])

    # --- taking back

    def undo(self, number: int) -> None:
        """Takes back what a transaction did to others: applied amounts, deposited payments, shipped quantities."""
        database = self.database
        for link in database.rows("nexttransactionlinelink", "nextdoc = ?", [number]):
            before, amount = link["previousdoc"], link.get("foreignamount", Decimal(0))
            if link["linktype"] == "Payment":
                self.apply(before, -amount)
            elif link["linktype"] == "DepPymt":
                database.update("transaction", {"status": "B", "lastmodifieddate": self.now()}, "id = ?", [before])
        for table in ("nexttransactionlink", "nexttransactionlinelink"):
            database.delete(table, "nextdoc = ?", [number])

    def apply(self, invoice: int, amount: Decimal) -> None:
        """Pays `amount` of an invoice, or takes it back when negative."""
        row = self.database.row("transaction", invoice) or {}
        unpaid = row.get("foreignamountunpaid", Decimal(0)) - amount
        changes = {
            "foreignamountunpaid": unpaid,
            "foreignamountpaid": row.get("foreignamountpaid", Decimal(0)) + amount,
            "status": "A" if unpaid else "B",
            "lastmodifieddate": self.now(),
        }
        self.database.update("transaction", changes, "id = ?", [invoice])

    def remove(self, record: str, number: int) -> None:
        """Deletes a transaction; only `deletedrecord` remembers it, and none of its lines."""
        row = self.database.row("transaction", number) or {}
        self.undo(number)
        self.database.delete("transaction", "id = ?", [number])
        for table in ("transactionline", "transactionaccountingline", "trackingnumbermap"):
            self.database.delete(table, '"transaction" = ?', [number])
        deleted = {
            "recordid": number,
            "recordtypeid": -30,
            "scriptid": record.lower(),
            "type": row.get("type"),
            "name": row.get("trandisplayname"),
            "deleteddate": self.now(),
        }
        self.database.insert("deletedrecord", [deleted])
        self.extras.pop(number, None)
