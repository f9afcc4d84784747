"""What the chains read from the marts: one method per question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestration.lib.explaining.finding import Subject
from orchestration.lib.explaining.tree import total
from orchestration.lib.published import CLOSED, Published

Row = Mapping[str, Any]

LINES = "fct_settlement_lines"
SUBJECTS_OF_A_LINE = {
    "TRANSACTION_LINE": "transaction_line_id",
    "ORDER_LINE": "order_line_id",
    "ORDER": "order_id",
    "REFUND": "refund_id",
    "TRANSACTION_TYPE": "transaction_type",
}
_IN_NET = "marketplace_code = $marketplace AND billing_cycle_id = $cycle AND is_in_net"


class MartReader:
    """Questions to the published marts. Answers are rows as dictionaries, in a stable order."""

    def __init__(self, published: Published) -> None:
        self._marts = published

    def _one(self, mart: str, subject: Subject, column: str) -> dict[str, Any]:
        where: dict[str, Any] = {column: subject.id}
        if subject.marketplace_code is not None:
            where["marketplace_code"] = subject.marketplace_code
        rows = self._marts.select(mart, where)
        if not rows:
            raise LookupError(f"{subject.kind} {subject.id} is not in mart {mart}")
        return rows[0]

    def _lines(self, marketplace: str | None, **where: Any) -> list[dict[str, Any]]:
        """Settlement lines, oldest first."""
        if marketplace is not None:
            where["marketplace_code"] = marketplace
        return self._marts.select(LINES, where, order_by=("created_at", "line_date", "transaction_line_id"))

    def _lines_by_type(self, cycle: Row) -> list[dict[str, Any]]:
        """The lines in the net of a cycle, added up by fee type and transaction type: `count`, `amount`, `documents`
        (their numbers). A cycle may have more lines than can be looked at one by one.
        """
        if LINES not in self._marts.marts:
            return []
        role = "account_role" if "account_role" in self._marts.marts[LINES] else "null"
        return self._marts.rows(
            f"""
            SELECT
                fee_type, transaction_type, count(*) AS count, sum(amount) AS amount,
                first({role} ORDER BY transaction_line_id) AS account_role,
                list(DISTINCT document_number) AS documents
            FROM {LINES}
            WHERE {_IN_NET}
            GROUP BY fee_type, transaction_type
            ORDER BY fee_type, transaction_type
            """,  # noqa: S608  (names of our own; values are parameters)
            _named(cycle),
        )

    def _line_exceptions(self, cycle: Row) -> list[dict[str, Any]]:
        """Open exceptions on the lines in the net of a cycle, and on what those belong to."""
        if not {LINES, "exceptions"} <= self._marts.marts.keys():
            return []
        subjects = " OR ".join(
            f"(subject_type = '{kind}' AND subject_id IN (SELECT {column} FROM {LINES} WHERE {_IN_NET}))"  # noqa: S608  (as above)
            for kind, column in SUBJECTS_OF_A_LINE.items()
        )
        found = self._marts.rows(
            f"SELECT * FROM exceptions WHERE marketplace_code = $marketplace AND ({subjects})",  # noqa: S608  (as above)
            _named(cycle),
        )
        return [row for row in found if row["status"] not in CLOSED]

    def _cycles(self, marketplace: str | None, ids: Iterable[Any]) -> list[dict[str, Any]]:
        wanted = sorted({str(id_) for id_ in ids if id_})
        if not wanted:
            return []
        where: dict[str, Any] = {"billing_cycle_id": wanted}
        if marketplace is not None:
            where["marketplace_code"] = marketplace
        return self._marts.select("fct_cycles", where, order_by=("cycle_date", "billing_cycle_id"))

    def _allocations(self, marketplace: str | None, **where: Any) -> list[dict[str, Any]]:
        """Receipt × cycle: which money cleared which pay-out. What waits for a person is not among them."""
        if marketplace is not None:
            where["marketplace_code"] = marketplace
        return self._marts.select(
            "fct_receipt_allocations", where, order_by=("value_date", "receipt_id", "billing_cycle_id")
        )

    def _journals(self, **where: Any) -> list[dict[str, Any]]:
        return self._marts.select("journals", where, order_by=("posting_date", "journal_key"))

    def _receipt_journals(self, receipts: Iterable[Row]) -> list[dict[str, Any]]:
        """Journals of the receipts that `receipts` (or allocations) name."""
        wanted = sorted({str(row["receipt_id"]) for row in receipts})
        return self._journals(receipt_id=wanted) if wanted else []

    def _with_chain(self, marketplace: str, lines: Sequence[Row]) -> list[dict[str, Any]]:
        """Settlement lines, each with the journal that books it and the receipts that paid its cycle."""
        cycles = sorted({str(row["billing_cycle_id"]) for row in lines if row.get("billing_cycle_id")})
        journals, receipts = self._journal_by_cycle(cycles), self._receipts_by_cycle(marketplace, cycles)
        return [
            {
                **row,
                "journal": journals.get(str(row.get("billing_cycle_id"))),
                "receipts": receipts.get(str(row.get("billing_cycle_id"))),
            }
            for row in lines
        ]

    def _journal_by_cycle(self, cycles: Sequence[str]) -> dict[str, str]:
        rows = self._journals(billing_cycle_id=list(cycles)) if cycles else []
        return {
            str(row["billing_cycle_id"]): str(row.get("wire_key") or row["journal_key"])
            for row in rows
            if row["kind"] == "SETTLEMENT"
        }

    def _receipts_by_cycle(self, marketplace: str, cycles: Sequence[str]) -> dict[str, str]:
        """Receipts per cycle; a cycle that was paid with a later one shows the receipts of that one."""
        payers = {
            str(row["billing_cycle_id"]): str(row.get("paying_cycle_id") or row["billing_cycle_id"])
            for row in self._cycles(marketplace, cycles)
        }
        allocations = self._allocations(marketplace, billing_cycle_id=sorted(set(payers.values()))) if payers else []
        found: dict[str, str] = {}
        for cycle, payer in payers.items():
            ids = [row["receipt_id"] for row in allocations if row["billing_cycle_id"] == payer]
            if ids:
                found[cycle] = ", ".join(ids)
        return found

    def _cycle_row(self, cycle: Row, lines: Sequence[Row]) -> dict[str, Any]:
        """A cycle with the share that `lines` have in it."""
        id_ = str(cycle["billing_cycle_id"])
        mine = [row for row in lines if row.get("billing_cycle_id") == id_ and row["is_in_net"]]
        return {
            **cycle,
            "share": total(mine, "amount"),
            "paying_cycle_id": another(cycle.get("paying_cycle_id"), id_),
            "journal": self._journal_by_cycle([id_]).get(id_),
            "receipts": self._receipts_by_cycle(cycle["marketplace_code"], [id_]).get(id_),
        }

    def _candidates(self, subject_type: str, id_: Any, marketplace: str | None) -> str | None:
        """What an unmatched pay-out or receipt could belong to; a person chooses."""
        where = {"subject_type": subject_type, "subject_id": id_} | (
            {"marketplace_code": marketplace} if marketplace else {}
        )
        rows = self._marts.select("unmatched_payouts", where)
        return ", ".join(str(row["candidate_ids"]) for row in rows if row["candidate_ids"]) or None

    def _checks(self, marketplace: str, order_id: str) -> list[dict[str, Any]]:
        """Results of the order and settlement levels for this order that are more, or less, than a match."""
        found = []
        for mart in ("rec_orders", "rec_settlement_lines"):
            if "order_id" in self._marts.marts.get(mart, frozenset()):
                rows = self._marts.select(
                    mart, {"marketplace_code": marketplace, "order_id": order_id}, order_by=("rule_code", "subject_id")
                )
                found += [
                    row | {"subject": f"{row['subject_type']} {row['subject_id']}"}
                    for row in rows
                    if row["status"] not in ("MATCHED", "EXCLUDED")
                ]
        return found

    def _exceptions(self, marketplace: str | None, **subjects: Iterable[Any]) -> list[dict[str, Any]]:
        """Open exceptions on any of the subjects, worst first."""
        found: dict[str, dict[str, Any]] = {}
        for subject_type, ids in subjects.items():
            wanted = sorted({str(id_) for id_ in ids if id_})
            if not wanted:
                continue
            where: dict[str, Any] = {"subject_type": subject_type, "subject_id": wanted}
            if marketplace is not None:
                where["marketplace_code"] = marketplace
            for row in self._marts.select("exceptions", where):
                if row["status"] not in CLOSED:
                    found[row["exception_id"]] = row
        return worst_first(found.values())


def worst_first(exceptions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each exception once, in a stable order."""
    return sorted(
        {row["exception_id"]: row for row in exceptions}.values(),
        key=lambda row: (str(row["severity"]), str(row["exception_code"]), str(row["subject_id"])),
    )


def _named(cycle: Row) -> dict[str, Any]:
    return {"marketplace": cycle["marketplace_code"], "cycle": cycle["billing_cycle_id"]}


def another(value: Any, own: Any) -> str | None:
    """The value as text when there is one and it is not `own`."""
    return str(value) if value and str(value) != str(own) else None
