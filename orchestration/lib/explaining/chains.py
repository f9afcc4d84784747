"""The chains: order → settlement lines → cycle → pay-out → receipt, with journals and exceptions at every step.

Amounts are in the Mirakl view (plus raises what the marketplace owes the seller) except journal lines, which have debit
and credit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestration.lib.explaining.columns import (
    ALLOCATIONS,
    BY_FEE_TYPE,
    CHECKS,
    CYCLES,
    IN_WORDS,
    JOURNAL_LINES,
    LINES,
    OFFER,
    SALES,
    SETTLED,
    STOCK,
)
from orchestration.lib.explaining.finding import Subject
from orchestration.lib.explaining.reading import MartReader, Row, another, worst_first
from orchestration.lib.explaining.tree import ZERO, Listing, Node, Proof, total


class Explainer(MartReader):
    """Builds the tree for a subject. Reads nothing but the published marts."""

    def explain(self, subject: Subject) -> Node:
        """The chain of one subject."""
        chains: dict[str, Callable[[Subject], Node]] = {
            "ORDER": self._order,
            "ORDER_LINE": self._order_line,
            "REFUND": self._refund,
            "TRANSACTION_LINE": self._transaction_line,
            "PAYOUT": self._payout,
            "RECEIPT": self._receipt,
            "JOURNAL": self._journal,
            "SKU": self._sku,
            "EXCEPTION": self._exception,
        }
        return chains[subject.kind](subject)

    # ---- pay-outs ----------------------------------------------------------------------------------------------------

    def _payout(self, subject: Subject) -> Node:
        """opening + Σ lines by fee type = closing + pay-out; documents, journal, receipts, residual."""
        cycle = self._one("fct_cycles", subject, "billing_cycle_id")
        id_, currency = cycle["billing_cycle_id"], cycle["currency_code"]
        by_type = self._lines_by_type(cycle)
        allocations = self._allocations(cycle["marketplace_code"], billing_cycle_id=[id_])
        node = self._cycle_node(cycle, allocations)
        documents = sorted({str(number) for row in by_type for number in row["documents"] if number})
        node.facts |= {
            "failure": cycle["pay_out_failure_reason"],
            "paid on": cycle["pay_out_date"],
            "paid with cycle": another(cycle["paying_cycle_id"], id_),
            "reference": cycle["pay_out_reference"],
            "documents": ", ".join(documents) or None,
            "candidates": self._candidates("PAYOUT", id_, cycle["marketplace_code"])
            if node.facts["residual"]
            else None,
        }
        grouped = _grouped(by_type)
        title = f"What it is made of ({sum(row['count'] for row in grouped):,} lines)"
        node.listings.append(Listing("lines_by_type", title, BY_FEE_TYPE, grouped))
        if allocations:
            node.listings.append(Listing("receipts", "Money received", ALLOCATIONS, allocations))
        node.proofs.insert(
            0, Proof("Σ lines = net of the cycle", total(grouped, "total_amount"), cycle["net_amount"], currency)
        )
        node.children = self._settlement_journals(cycle)
        node.children += [self._journal_node(row) for row in self._receipt_journals(allocations)]
        own = self._exceptions(
            cycle["marketplace_code"],
            CYCLE=[id_],
            PAYOUT=[id_],
            RECEIPT=[row["receipt_id"] for row in allocations],
            JOURNAL=[child.id for child in node.children],
        )
        node.exceptions = worst_first([*own, *self._line_exceptions(cycle)])
        return node

    def _cycle_node(self, cycle: Row, allocations: Sequence[Row]) -> Node:
        """A cycle's balance and what was received for it, both proved. `allocations` are all of this cycle."""
        currency, broken = cycle["currency_code"], cycle["break_amount"]
        residual = cycle["payout_amount"] - total(allocations, "cleared_amount")
        received = cycle["received_amount"] + cycle["bank_fee_amount"] - total(allocations, "excess_amount")
        return Node(
            "PAYOUT",
            str(cycle["billing_cycle_id"]),
            f"Pay-out of cycle {cycle['billing_cycle_id']} ({cycle['cycle_date']})",
            facts={
                "marketplace": cycle["marketplace_code"],
                "opening balance": cycle["opening_amount"],
                "net of the cycle": cycle["net_amount"],
                "break in the chain": broken or None,
                "pay-out": cycle["payout_amount"],
                "closing balance": cycle["closing_amount"],
                "received": cycle["received_amount"],
                "bank fee kept": cycle["bank_fee_amount"] or None,
                "residual": residual,
                "currency": currency,
                "state": cycle["pay_out_state"],
                "voucher": cycle["voucher_number"],
            },
            proofs=[
                Proof(
                    f"opening + net {'+ break ' if broken else ''}− pay-out = closing",
                    cycle["opening_amount"] + cycle["net_amount"] + broken - cycle["payout_amount"],
                    cycle["closing_amount"],
                    currency,
                ),
                Proof("Σ receipts = received", total(allocations, "cash_amount"), cycle["received_amount"], currency),
                Proof(
                    "received + bank fee − over-paid + residual = pay-out",
                    received + residual,
                    cycle["payout_amount"],
                    currency,
                ),
            ],
        )

    def _settlement_journals(self, cycle: Row) -> list[Node]:
        """The journal of a cycle, with the proof that it moves clearing by the cycle's net."""
        nodes = []
        for row in self._journals(billing_cycle_id=cycle["billing_cycle_id"], kind="SETTLEMENT"):
            node = self._journal_node(row)
            clearing = [line for line in node.listings[0].rows if line["account_role"] == "MARKETPLACE_CLEARING"]
            moved = total(clearing, "debit") - total(clearing, "credit")
            node.proofs.append(
                Proof("clearing in the journal = net of the cycle", moved, cycle["net_amount"], cycle["currency_code"])
            )
            nodes.append(node)
        return nodes

    # ---- receipts ----------------------------------------------------------------------------------------------------

    def _receipt(self, subject: Subject) -> Node:
        """What a bank receipt paid: allocations to pay-outs, fee, residual, journal."""
        receipt = self._one("fct_receipts", subject, "receipt_id")
        id_, currency = receipt["receipt_id"], receipt["currency_code"]
        allocations = self._allocations(None, receipt_id=[id_])
        cash = total(allocations, "cash_amount")
        residual = receipt["amount"] - cash
        node = Node(
            "RECEIPT",
            str(id_),
            f"Receipt {id_} ({receipt['value_date']})",
            facts={
                "marketplace": receipt["marketplace_code"],
                "amount": receipt["amount"],
                "allocated": receipt["allocated_amount"],
                "residual": residual,
                "bank fee kept": receipt["bank_fee_amount"] or None,
                "over-paid": receipt["excess_amount"] or None,
                "currency": currency,
                "bank account": receipt["bank_account_code"],
                "booked": receipt["booking_date"],
                "from a known payer": receipt["is_from_payer"],
                "status": receipt["match_status"],
                "matched by": receipt["rule_code"],
                "candidates": self._candidates("RECEIPT", id_, None) if residual else None,
            },
            proofs=[
                Proof("Σ pay-outs = allocated", cash, receipt["allocated_amount"], currency),
                Proof(
                    "allocated + residual = receipt",
                    receipt["allocated_amount"] + residual,
                    receipt["amount"],
                    currency,
                ),
            ],
        )
        if allocations:
            node.listings.append(Listing("allocations", "What it paid", ALLOCATIONS, allocations))
        cycles = self._cycles(receipt["marketplace_code"], [row["billing_cycle_id"] for row in allocations])
        for cycle in cycles:
            everybody = self._allocations(cycle["marketplace_code"], billing_cycle_id=[cycle["billing_cycle_id"]])
            child = self._cycle_node(cycle, everybody)
            child.children = self._settlement_journals(cycle)
            node.children.append(child)
        for row in self._receipt_journals([receipt]):
            journal = self._journal_node(row)
            bank = [line for line in journal.listings[0].rows if line["account_role"] == "BANK"]
            moved = total(bank, "debit") - total(bank, "credit")
            journal.proofs.append(Proof("bank in the journal = receipt allocated", moved, cash, currency))
            node.children.append(journal)
        node.exceptions = self._exceptions(
            None,
            RECEIPT=[id_],
            PAYOUT=[cycle["billing_cycle_id"] for cycle in cycles],
            CYCLE=[cycle["billing_cycle_id"] for cycle in cycles],
            JOURNAL=[child.id for child in node.children if child.kind == "JOURNAL"],
        )
        return node

    # ---- orders ------------------------------------------------------------------------------------------------------

    def _order(self, subject: Subject, *, only: Callable[[Row], bool] | None = None) -> Node:
        """An order's lines, and each settlement line with its cycle, journal and receipt."""
        order = self._one("fct_orders", subject, "order_id")
        marketplace, currency = order["marketplace_code"], order.get("currency_code")
        lines = self._marts.select(
            "fct_order_lines",
            {"marketplace_code": marketplace, "order_id": order["order_id"]},
            order_by=("order_line_index", "order_line_id"),
        )
        settled = [row for row in self._lines(marketplace, order_id=order["order_id"]) if only is None or only(row)]
        cycles = self._cycles(marketplace, [row["billing_cycle_id"] for row in settled])
        with_chain = self._with_chain(marketplace, settled)
        node = Node(
            "ORDER",
            str(order["order_id"]),
            f"Order {order['order_id']} ({order.get('order_state')})",
            facts=self._in_words(marketplace, order["order_id"])
            | {
                "marketplace": marketplace,
                "goods": order["price_amount"],
                "shipping": order["shipping_amount"],
                "total": order["total_amount"],
                "refunded": total(lines, "refunded_amount") + total(lines, "refunded_shipping_amount") or None,
                "settled so far": total(
                    [row for row in settled if row["is_in_net"] and row.get("billing_cycle_id")], "amount"
                ),
                "not yet in a cycle": total(
                    [row for row in settled if row["is_in_net"] and not row.get("billing_cycle_id")], "amount"
                )
                or None,
                "currency": currency,
                "ordered": order.get("created_at"),
                "customer debited": order.get("customer_debited_at"),
                "commercial id": order.get("commercial_id"),
                "ERP order": order.get("erp_document_no"),
                "ERP order, gross": order.get("erp_gross_amount"),
            },
        )
        node.listings.append(Listing("lines", "Lines", LINES, lines))
        # The marketplace takes a cancelled or refused line out of the order's total, but leaves a refused order as it
        # was.
        dropped = order["order_state"] != "REFUSED"
        counted = [row for row in lines if not (dropped and row["line_state"] in ("CANCELED", "REFUSED"))]
        claim = "Σ lines" if len(counted) == len(lines) else "Σ lines not cancelled"
        node.proofs += [
            Proof(f"{claim}, goods = order", total(counted, "price_amount"), order["price_amount"], currency),
            Proof(f"{claim}, shipping = order", total(counted, "shipping_amount"), order["shipping_amount"], currency),
            Proof(
                "goods + shipping = total",
                order["price_amount"] + order["shipping_amount"],
                order["total_amount"],
                currency,
            ),
        ]
        if settled:
            node.listings.append(Listing("settlement_lines", "Settlement lines", SETTLED, with_chain))
            node.listings.append(
                Listing(
                    "settlement_by_type",
                    "By fee type",
                    BY_FEE_TYPE,
                    _by_type([row for row in settled if row["is_in_net"]]),
                )
            )
        if cycles:
            shares = [self._cycle_row(cycle, settled) for cycle in cycles]
            node.listings.append(Listing("cycles", "Through these cycles", CYCLES, shares))
            in_cycles = [row for row in settled if row["is_in_net"] and row.get("billing_cycle_id")]
            node.proofs.append(
                Proof(
                    "Σ shares of the cycles = settled so far",
                    total(shares, "share"),
                    total(in_cycles, "amount"),
                    currency,
                )
            )
        checks = self._checks(marketplace, order["order_id"])
        if checks:
            node.listings.append(Listing("checks", "Checks that are not an exact match", CHECKS, checks))
        node.exceptions = self._exceptions(
            marketplace,
            ORDER=[order["order_id"]],
            ORDER_LINE=[row["order_line_id"] for row in lines],
            REFUND=[row["refund_id"] for row in settled],
            TRANSACTION_LINE=[row["transaction_line_id"] for row in settled],
        )
        return node

    def _in_words(self, marketplace: object, order_id: object) -> dict[str, Any]:
        """What customer service asks first; empty where the marts are from before `order_status`."""
        rows = self._marts.select("order_status", {"marketplace_code": marketplace, "order_id": order_id})
        return {label: rows[0].get(column) for label, column in IN_WORDS.items()} if rows else {}

    def _order_line(self, subject: Subject) -> Node:
        line = self._one("fct_order_lines", subject, "order_line_id")
        order = self._order(
            Subject("ORDER", line["order_id"], line["marketplace_code"]),
            only=lambda row: row["order_line_id"] == line["order_line_id"],
        )
        order.title = f"Line {line['order_line_id']} of {order.title}"
        return order

    def _refund(self, subject: Subject) -> Node:
        lines = self._lines(subject.marketplace_code, refund_id=subject.id)
        first = lines[0]
        order = self._order(
            Subject("ORDER", first["order_id"], first["marketplace_code"]),
            only=lambda row: row["refund_id"] == first["refund_id"],
        )
        order.title = f"Refund {first['refund_id']} of {order.title}"
        return order

    def _transaction_line(self, subject: Subject) -> Node:
        line = self._one("fct_settlement_lines", subject, "transaction_line_id")
        marketplace = line["marketplace_code"]
        chain = self._with_chain(marketplace, [line])[0]
        node = Node(
            "TRANSACTION_LINE",
            str(line["transaction_line_id"]),
            f"Transaction line {line['transaction_line_id']} ({line['transaction_type']})",
            facts={
                "marketplace": marketplace,
                "amount": line["amount"],
                "currency": line.get("currency_code"),
                "date": line.get("line_date"),
                "booked to": line.get("account_role"),
                "state": line.get("payment_state"),
                "cycle": line.get("billing_cycle_id"),
                "journal": chain["journal"],
                "receipt": chain["receipts"],
                "document": line.get("document_number"),
                "order": line.get("order_id"),
                "order line": line.get("order_line_id"),
                "refund": line.get("refund_id"),
                "description": line.get("description"),
            },
        )
        cycles = self._cycles(marketplace, [line["billing_cycle_id"]])
        if cycles:
            node.listings.append(
                Listing("cycles", "Through this cycle", CYCLES, [self._cycle_row(cycle, [line]) for cycle in cycles])
            )
            node.proofs.append(
                Proof(
                    "this line + the other lines = net of the cycle",
                    total(self._lines_by_type(cycles[0]), "amount"),
                    cycles[0]["net_amount"],
                    line.get("currency_code"),
                )
            )
        node.exceptions = self._exceptions(
            marketplace,
            TRANSACTION_LINE=[line["transaction_line_id"]],
            ORDER_LINE=[line["order_line_id"]],
            ORDER=[line["order_id"]],
            REFUND=[line["refund_id"]],
            TRANSACTION_TYPE=[line["transaction_type"]],
        )
        return node

    # ---- journals ----------------------------------------------------------------------------------------------------

    def _journal(self, subject: Subject) -> Node:
        row = self._one("journals", subject, "journal_key")
        node = self._journal_node(row)
        for column, kind, mart in (
            ("billing_cycle_id", "PAYOUT", "fct_cycles"),
            ("receipt_id", "RECEIPT", "fct_receipts"),
        ):
            source = row.get(column)
            if source and self._marts.select(mart, {column: source}):
                marketplace = row["marketplace_code"] if kind == "PAYOUT" else None
                origin = self.explain(Subject(kind, source, marketplace))
                origin.children = []
                node.children.append(origin)
        return node

    def _journal_node(self, row: Row) -> Node:
        lines = self._marts.select("journal_lines", {"journal_key": row["journal_key"]}, order_by=("line_no",))
        currency = row.get("currency_code")
        return Node(
            "JOURNAL",
            str(row["journal_key"]),
            f"{str(row['kind']).replace('_', ' ').capitalize()} journal {row['journal_key']}",
            facts={
                "wire key": row.get("wire_key"),
                "posting date": row.get("posting_date"),
                "period": row.get("period"),
                "status": row.get("status"),
                "ERP document": row.get("erp_document_id"),
                "blocked": row.get("blocked_reason"),
            },
            listings=[Listing("journal_lines", "Journal lines", JOURNAL_LINES, lines)],
            proofs=[Proof("Σ debit = Σ credit", total(lines, "debit"), total(lines, "credit"), currency)],
            exceptions=self._exceptions(row["marketplace_code"], JOURNAL=[row["journal_key"]]),
        )

    # ---- the others --------------------------------------------------------------------------------------------------

    def _sku(self, subject: Subject) -> Node:
        marketplace = subject.marketplace_code
        where = {"marketplace_code": marketplace} if marketplace else {}
        checks = self._marts.select("rec_stock", {**where, "subject_id": subject.id}, order_by=("rule_code",))
        sold = self._marts.select(
            "fct_order_lines", {**where, "shop_sku": subject.id}, order_by=("order_id", "order_line_id")
        )
        node = Node(
            "SKU",
            subject.id,
            f"SKU {subject.id}",
            facts={
                "marketplace": marketplace,
                "sold (order lines)": len(sold),
                "sales incl. shipping": total(sold, "total_amount"),
                "refunded": total(sold, "refunded_amount") + total(sold, "refunded_shipping_amount"),
                "currency": sold[0]["currency_code"] if sold else None,
            },
        )
        if checks:
            node.listings.append(Listing("stock", "Stock", STOCK, checks))
        if listed := self._marts.select("rec_offers", {**where, "subject_id": subject.id}, order_by=("rule_code",)):
            node.listings.append(Listing("offer", "Offer", OFFER, listed))
        if sold:
            node.listings.append(Listing("sales", "Order lines", SALES, sold))
        node.exceptions = self._exceptions(
            marketplace,
            OFFER=[subject.id],
            ITEM=[subject.id, *(row.get("item_code") for row in sold)],
            ORDER_LINE=[row["order_line_id"] for row in sold],
        )
        return node

    def _exception(self, subject: Subject) -> Node:
        row = self._one("exceptions", subject, "exception_id")
        node = Node(
            "EXCEPTION",
            str(row["exception_id"]),
            f"{row['exception_code']} {row['summary']}",
            facts={
                "subject": f"{row['subject_type']} {row['subject_id']}",
                "severity": row["severity"],
                "status": row["status"],
                "at risk": row["amount_at_risk"],
                "currency": row["currency_code"],
                "owner": row["owner_team"],
                "root cause": row["root_cause"],
                "first seen": row["first_seen_at"],
                "due": row["due_at"],
                "consequences": row.get("consequence_count") or None,
                "what to do": row["recommended_action"],
                "runbook": row.get("runbook_url"),
            },
        )
        kind, mart, column = SUBJECTS.get(row["subject_type"], (None, None, None))
        if kind and mart and column:
            where = {column: row["subject_id"]}
            if kind not in ("RECEIPT", "JOURNAL"):
                where["marketplace_code"] = row["marketplace_code"]
            if self._marts.select(mart, where):
                marketplace = row["marketplace_code"] if "marketplace_code" in where else None
                node.children.append(self.explain(Subject(kind, row["subject_id"], marketplace)))
        return node


SUBJECTS: Mapping[str, tuple[str, str, str]] = {
    "ORDER": ("ORDER", "fct_orders", "order_id"),
    "ORDER_LINE": ("ORDER_LINE", "fct_order_lines", "order_line_id"),
    "REFUND": ("REFUND", "fct_settlement_lines", "refund_id"),
    "TRANSACTION_LINE": ("TRANSACTION_LINE", "fct_settlement_lines", "transaction_line_id"),
    "CYCLE": ("PAYOUT", "fct_cycles", "billing_cycle_id"),
    "PAYOUT": ("PAYOUT", "fct_cycles", "billing_cycle_id"),
    "RECEIPT": ("RECEIPT", "fct_receipts", "receipt_id"),
    "JOURNAL": ("JOURNAL", "journals", "journal_key"),
    "OFFER": ("SKU", "rec_stock", "subject_id"),
}
"""Subject type of an exception → kind to explain, and where to see that it exists."""


TAX_TYPES = ("_TAX", "_VAT")
"""How the vendor's transaction types of tax lines end."""


def _by_type(lines: Sequence[Row]) -> list[dict[str, Any]]:
    """Lines added up by fee type and transaction type, as the marts add up a cycle's."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for row in lines:
        key = (str(row["fee_type"]), str(row["transaction_type"]))
        group = groups.setdefault(
            key,
            {
                "fee_type": key[0],
                "transaction_type": key[1],
                "account_role": row.get("account_role"),
                "count": 0,
                "amount": ZERO,
            },
        )
        group["count"] += 1
        group["amount"] += row["amount"]
    return _grouped([groups[key] for key in sorted(groups)])


def _grouped(by_type: Sequence[Row]) -> list[dict[str, Any]]:
    """Σ per fee type and transaction type, tax apart."""
    found = []
    for row in by_type:
        is_tax = str(row["transaction_type"]).endswith(TAX_TYPES)
        amounts = {"amount": ZERO if is_tax else row["amount"], "tax_amount": row["amount"] if is_tax else ZERO}
        names = ("fee_type", "transaction_type", "account_role", "count")
        found.append({**{name: row[name] for name in names}, **amounts, "total_amount": row["amount"]})
    return found
