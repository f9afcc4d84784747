"""The vendor's tables while they are filled: a transaction is a header, lines, and per accounting book its postings."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.world.money import pounds
from sandbox.world.stamps import SECOND

BOOKS = (1, 2)
"""The primary book and a statutory one, which repeats every posting."""
ONE = Decimal(1)
_RECORDS = {
    "SalesOrd": "salesorder",
    "Estimate": "estimate",
    "ItemShip": "itemfulfillment",
    "CustInvc": "invoice",
    "CustCred": "creditmemo",
    "CustPymt": "customerpayment",
    "Check": "check",
    "Journal": "journalentry",
}


def when(instant: int) -> datetime:
    """An instant as the tables hold it: UTC without a zone, whole seconds."""
    return datetime.fromtimestamp(instant // SECOND, UTC).replace(tzinfo=None)


def period_id(day: date) -> int:
    return day.year * 100 + day.month


class Tables:
    """Rows by table. `subsidiary` is the trading company, whose base currency every amount is in unless told."""

    def __init__(self, subsidiary: int) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._subsidiary = subsidiary

    def add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def transaction(
        self,
        number: int,
        code: str,
        day: date,
        saved: datetime,
        lines: list[dict[str, Any]],
        *,
        created: datetime | None = None,
        subsidiary: int | None = None,
        rate: Decimal = ONE,
        of_main_line: dict[str, Any] | None = None,
        **header: Any,
    ) -> None:
        """Adds a transaction; its first line is the main line, a tax line follows the line that it belongs to.

        A line has `amount` in pence of the transaction's currency, positive = debit; with an `account` it is posted.
        What else it has are columns. `of_main_line` are columns of the main line alone. Orders and estimates post
        nothing. `rate` is what one unit of the currency is worth in the subsidiary's.
        """
        is_posting = header.get("posting", "F" if code in ("SalesOrd", "Estimate") else "T")
        tran_id = header.get("tranid") or f"{code.upper()}{number}"
        self.add(
            "transaction",
            id=number,
            type=code,
            recordtype=_RECORDS[code],
            transactionnumber=f"{code.upper()}{number}",
            trandisplayname=f"{_RECORDS[code]} #{tran_id}",
            trandate=day,
            createddate=created or saved,
            lastmodifieddate=saved,
            exchangerate=rate,
            **{
                "voided": "F",
                "void": "F",
                "postingperiod": None if code in ("SalesOrd", "Estimate") else period_id(day),
                **header,
                "posting": is_posting,
                "tranid": tran_id,
            },
        )
        shared = {"entity": header.get("entity"), "subsidiary": subsidiary or self._subsidiary}
        for index, line in enumerate(lines):
            self._line(number, index, line, shared | ((of_main_line or {}) if index == 0 else {}), rate, saved)
            if line.get("account") is not None:
                self._posting(number, index, line, rate, is_posting, saved)

    def _line(
        self, number: int, index: int, line: dict[str, Any], shared: dict[str, Any], rate: Decimal, saved: datetime
    ) -> None:
        columns = {name: value for name, value in line.items() if name not in ("amount", "account")}
        amount = pounds(line["amount"])
        side = "debitforeignamount" if amount > 0 else "creditforeignamount"
        self.add(
            "transactionline",
            transaction=number,
            id=index,
            uniquekey=len(self.rows.get("transactionline", ())) + 1,
            mainline="T" if index == 0 else "F",
            donotdisplayline="F",
            isclosed="F",
            linesequencenumber=index,
            foreignamount=amount,
            netamount=_base(amount, rate),
            linelastmodifieddate=saved,
            **{side: abs(amount)},
            **{"taxline": "F", "iscogs": "F", **shared, **columns},
        )

    def _posting(
        self, number: int, index: int, line: dict[str, Any], rate: Decimal, is_posting: str, saved: datetime
    ) -> None:
        amount = _base(pounds(line["amount"]), rate)
        for book in BOOKS:
            self.add(
                "transactionaccountingline",
                accountingbook=book,
                transaction=number,
                transactionline=index,
                account=line["account"],
                amount=amount,
                netamount=amount,
                debit=amount if amount > 0 else None,
                credit=-amount if amount < 0 else None,
                exchangerate=rate,
                posting=is_posting,
                lastmodifieddate=saved,
            )

    def link(self, before: int, before_type: str, after: int, after_type: str, kind: str, lines: list[int]) -> None:
        """Says that a transaction came out of another, line by line."""
        ends = {"previousdoc": before, "previoustype": before_type, "nextdoc": after, "nexttype": after_type}
        self.add("nexttransactionlink", linktype=kind, **ends)
        for line in lines:
            self.add("nexttransactionlinelink", linktype=kind, previousline=line, nextline=line, **ends)


def _base(amount: Decimal, rate: Decimal) -> Decimal:
    return amount if rate is ONE else (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
