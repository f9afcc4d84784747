"""What happens around Tieout in a year: customers order, the warehouse ships, the bank pays in, months are closed.

Everything is done as outsiders do it: through the vendors' own interfaces and the sandbox's clock, never in Tieout's
folder. What time does by itself (debits, deliveries, cycles, pay-outs) is the sandbox's own.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from connectors.delivery import Action, Outcome
from connectors.records import Window
from orchestration.lib.connections import Connections
from sandbox.clock import stamp
from sandbox.config import Places, read_environment
from sandbox.world.bank import CSV_COLUMNS
from sandbox.world.business import BRICO

SHOP, ERP, BANK = BRICO.marketplace, "NS_UK", BRICO.bank_account
WAITING, SHIPPING = "WAITING_ACCEPTANCE", "SHIPPING"
RECEIVED_AFTER = timedelta(days=1)
"""From the pay-out to the day on which the bank books it."""
NEW_FIELD = {"loyalty_programme": {"level": "GOLD", "points": 12}}
"""A member that no document of the vendor names, from the middle of the year on."""
NEW_VALUE = {"payment_type": "PAY_BY_SOMETHING_NEW"}
"""And a value that nobody has seen before."""
CLOSES_ON = 10
"""The day of the month on which a person closes the month before in the ERP."""


class Stuck(Exception):
    """The town could not do its part; the text says which."""


@dataclass
class Town:
    """The outside world of one installation. `connections` are those of a colleague with the same rights."""

    url: str
    places: Places
    connections: Connections
    draw: random.Random
    statement_until: date
    """The last day of which the bank has told."""
    balance: Decimal
    orders: int = 0
    shipped: int = 0
    paid_in: dict[str, Decimal] = field(default_factory=dict)
    """Pay-out's voucher → what the bank booked."""
    closed: list[str] = field(default_factory=list)
    moulds: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, url: str, places: Places, connections: Connections, seed: int) -> Town:
        newest = max((places.bank / BANK).glob("*.csv"))
        *_, last = csv.DictReader(newest.read_text("utf-8").splitlines())
        day = datetime.strptime(last["Booking date"], "%d/%m/%Y").date()  # noqa: DTZ007
        told = date.fromisoformat(f"{newest.stem[-8:-4]}-{newest.stem[-4:-2]}-{newest.stem[-2:]}")
        return cls(url, places, connections, random.Random(f"soak {seed}"), max(day, told), Decimal(last["Balance"]))

    def keep_moulds(self) -> None:
        """Copies of the orders that wait now, which nobody decides on: later orders are made like them."""
        for number, like in enumerate(self.waiting(WAITING)):
            self._insert(like, f"MOULD{number}-A", order_state="STAGING")
            self.moulds.append(f"MOULD{number}-A")
        if not self.moulds:
            raise Stuck("the world has no order that waits")

    def clock(self, now: datetime) -> None:
        self._control("clock", {"at": stamp(now)})

    def order(self, now: datetime, count: int, *, is_grown: bool) -> None:
        """So many customers order within the last two hours. `is_grown`: the vendor's interface has new things."""
        for number in range(count):
            created = now - timedelta(minutes=self.draw.randrange(40, 120), seconds=self.draw.randrange(60))
            new_id = f"SOAK{now:%y%m%d}{number:02d}-A"
            values: dict[str, Any] = {
                "created_date": stamp(created),
                "last_updated_date": stamp(created),
                "commercial_id": new_id[:-2],
                "order_state": WAITING,
            }
            if is_grown:
                values |= NEW_FIELD | NEW_VALUE
            self._insert(self.draw.choice(self.moulds), new_id, **values)
            self.orders += 1

    def ship(self, now: datetime) -> None:
        """The warehouse ships what may be shipped and is in the ERP."""
        due = self.waiting(SHIPPING)
        if not due:
            return
        netsuite = self.connections.connector("netsuite", ERP)
        marks = ", ".join("?" for _ in due)
        rows = netsuite.select(_OPEN_LINES.format(marks), due)  # type: ignore[attr-defined]
        orders: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            orders.setdefault(row["externalid"], []).append(row)
        actions = []
        for external_id, lines in orders.items():
            key = f"WH{external_id}"[:24]
            payload = {
                "wire_key": key,
                "order_external_id": external_id,
                "ship_date": f"{now:%Y-%m-%d}",
                "lines": [{"order_line": int(one["line"]), "quantity": one["quantity"]} for one in lines],
                "packages": [{"tracking_number": f"TR{external_id[-12:]}"}],
            }
            actions.append(Action(key, key, "FULFILMENT", SHOP, ERP, payload))
        if not actions:
            return
        results = self.connections.deliveries()["FULFILMENT", ERP].send(actions)
        for key, result in results.items():
            if result.outcome is not Outcome.SENT:
                raise Stuck(f"the warehouse could not ship {key}: {result.detail}")
        self.shipped += len(actions)

    def pay_in(self, now: datetime) -> None:
        """The bank tells of all days until yesterday: a file with the pay-outs that arrived, and some other money."""
        first, last = self.statement_until + timedelta(days=1), now.date() - timedelta(days=1)
        if last < first:
            return
        entries: list[tuple[date, Decimal, str, str, str]] = []
        for cycle in self._cycles():
            voucher, paid = str(cycle["payment_voucher_number"]), cycle["pay_out"]
            if paid["state"] != "PAID" or voucher in self.paid_in:
                continue
            day = datetime.fromisoformat(paid["transaction_date"]).date() + RECEIVED_AFTER
            if first <= day <= last:
                amount = Decimal(str(cycle["amount_transferred_to_seller"]))
                self.paid_in[voucher] = amount
                entries.append((day, amount, BRICO.payer, f"PAYOUT {voucher}", f"{BRICO.end_to_end}{voucher}"))
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if day.weekday() == 4:
                amount = -Decimal(self.draw.randrange(18_000, 62_000)) / 100
                entries.append((day, amount, "Pretend Parcels Ltd", f"CARRIAGE {day:%G W%V}", f"PP{day:%y%m%d}"))
        self._statement(first, last, sorted(entries))
        self.statement_until = last

    def close_month(self, now: datetime) -> None:
        """From the tenth on a person closes the month before in the ERP, when the lanes have posted what was due."""
        month = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
        if now.day >= CLOSES_ON and f"{month:%b %Y}" not in self.closed:
            self._control(f"netsuite/{ERP}", {"close": f"{month:%b %Y}"})
            self.closed.append(f"{month:%b %Y}")

    def waiting(self, state: str) -> list[str]:
        """Ids of the shop's orders in this state."""
        found: list[str] = []
        while True:
            answer = httpx.get(
                f"{self.url}/mirakl/{SHOP}/api/orders",
                params={"shop_id": BRICO.shop.id, "max": 100, "offset": len(found), "order_state_codes": state},
                headers={"Authorization": self._key},
                timeout=60,
            )
            page = answer.raise_for_status().json()["orders"]
            found += [str(order["order_id"]) for order in page]
            if len(page) < 100:
                return found

    @property
    def _key(self) -> str:
        return read_environment(self.places.env)[f"MIRAKL_{SHOP}_API_KEY"]

    def _cycles(self) -> Iterator[dict[str, Any]]:
        for page in self.connections.connector("mirakl", SHOP).pages("billing_cycles", Window()):
            yield from json.loads(page.body)["data"]

    def _statement(self, first: date, last: date, entries: list[tuple[date, Decimal, str, str, str]]) -> None:
        name = f"{BRICO.iban[-8:]}-{first:%Y%m%d}-{last:%Y%m%d}.csv"
        path = self.places.bank / BANK / name
        with path.with_suffix(".part").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(CSV_COLUMNS)
            for number, (day, amount, payer, text, end_to_end) in enumerate(entries, start=1):
                self.balance += amount
                told = f"{day:%d/%m/%Y}"
                account = BRICO.payer_account if payer == BRICO.payer else ""
                code = "TRF" if amount > 0 else "DDT"
                reference = f"BK{day:%y%m%d}{number:05d}"
                row = (reference, told, told, amount, "GBP", payer, account, text, end_to_end, code, self.balance)
                writer.writerow(row)
        path.with_suffix(".part").rename(path)

    def _insert(self, like: str, new_id: str, **values: Any) -> None:
        change = {"feed": "orders", "action": "insert", "ids": [like], "new_ids": [new_id], "values": values}
        self._control("mutations", {"marketplace": SHOP, "shop_id": BRICO.shop.id, "changes": [change]})

    def _control(self, name: str, body: dict[str, Any]) -> None:
        answer = httpx.post(f"{self.url}/_sandbox/{name}", json=body, timeout=120)
        if answer.is_error:
            raise Stuck(f"{name}: {answer.text[:300]}")


_OPEN_LINES = """
    SELECT t.externalid AS externalid, tl.id AS line, 0 - tl.quantity AS quantity
    FROM transaction t
    INNER JOIN transactionline tl ON tl.transaction = t.id
    WHERE t.type = 'SalesOrd' AND t.status = 'B' AND tl.mainline = 'F' AND tl.itemtype = 'InvtPart'
        AND t.otherrefnum IN ({})
    ORDER BY t.id, tl.id
"""


def only_this_bank_account(config: Path) -> None:
    """The seller's other accounts have banks of their own, which nobody plays here: they are switched off."""
    path = config / "bank_accounts.csv"
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | ({} if row["bank_account_code"] == BANK else {"is_enabled": "false"}) for row in rows)
