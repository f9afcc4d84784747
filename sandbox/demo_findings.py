"""What the published marts say about a demo, and what of it is not as it should be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from sandbox.accuracy import Accuracy, measure
from sandbox.config import Places

SHOWN = 3
"""How many subjects a problem names."""


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Step:
    """One command of the pipeline: its exit code, the seconds that passed and those that processors worked for it, and
    the largest resident memory of its processes. Imports are not in it (sandbox/warm.py).
    """

    title: str
    exit_code: int
    seconds: float
    processor_seconds: float
    peak_bytes: int


@dataclass
class Summary:
    """What the demo shows. Amounts are Decimals in the marketplace's currency."""

    folder: str
    steps: list[Step] = field(default_factory=list)
    feeds: list[dict[str, Any]] = field(default_factory=list)
    payouts: list[dict[str, Any]] = field(default_factory=list)
    sellers: list[dict[str, Any]] = field(default_factory=list)
    balances_compared: int = 0
    balances_off: list[dict[str, Any]] = field(default_factory=list)
    unbalanced: list[dict[str, Any]] = field(default_factory=list)
    accuracy: Accuracy | None = None
    delivered: list[dict[str, Any]] = field(default_factory=list)
    vendor_writes: dict[str, int] = field(default_factory=dict)
    writes_of_second_run: dict[str, int] = field(default_factory=dict)
    changed_by_second_run: list[str] = field(default_factory=list)
    put_right: list[dict[str, Any]] = field(default_factory=list)
    """What the dispatch and returns lanes told the marketplaces, and how many findings that ended."""
    outage: list[dict[str, Any]] = field(default_factory=list)
    """The runs of the orders lane while an ERP was away."""
    next_commands: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_success(self) -> bool:
        return not self.problems


class Marts:
    """Read-only access to the published marts. A mart or column that is missing raises DemoError with its name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str) -> list[dict[str, Any]]:
        try:
            result = self._connection.execute(query)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise DemoError(f"the published marts are not as documented: {str(error).splitlines()[0]}") from error
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


Documents = Mapping[str, Collection[str]]
"""What the NetSuite accounts hold of what was written into them: external ids by the ERP company's code."""


def examine(summary: Summary, marts: Marts, truth: dict[str, Any], places: Places, documents: Documents) -> None:
    summary.feeds = marts.rows(
        """
        select vendor, account, feed, landed_count, duplicate_count, records_in_count, staged_count, superseded_count,
            quarantined_count
        from marts.control_totals where control_code = 'RECORDS' order by vendor, account, feed
        """
    )
    summary.unbalanced = marts.rows(
        """
        select control_code, vendor, account, feed, measure, difference
        from marts.control_totals where not is_balanced order by 1, 2, 3, 4, 5
        """
    )
    summary.payouts = marts.rows(
        """
        select marketplace_code, billing_cycle_id, cycle_date, opening_amount, net_amount, break_amount, payout_amount,
            closing_amount, received_amount, pay_out_state, currency_code,
            opening_amount + net_amount + break_amount - payout_amount - closing_amount as residual_amount
        from marts.fct_cycles
        where marketplace_code not in (select marketplace_code from marts.seller_balances)
        order by marketplace_code, cycle_date, billing_cycle_id
        """
    )
    # The residual adds up without signs: one seller's penny too much cannot make good another's too little.
    summary.sellers = marts.rows(
        """
        select marketplace_code, cycle_date, currency_code, count(distinct shop_id) as seller_count,
            count(*) filter (where payout_amount > 0) as paid_count,
            sum(opening_amount) as opening_amount, sum(net_amount) as net_amount, sum(break_amount) as break_amount,
            sum(payout_amount) as payout_amount, sum(closing_amount) as closing_amount,
            sum(abs(opening_amount + net_amount + break_amount - payout_amount - closing_amount)) as residual_amount
        from marts.seller_balances group by all order by marketplace_code, cycle_date, currency_code
        """
    )
    _compare_balances(summary, marts, truth)
    summary.accuracy = measure(
        truth,
        marts.rows("select exception_code, marketplace_code, subject_type, subject_id from marts.exceptions"),
    )
    summary.delivered = marts.rows(
        """
        select vendor, account, kind, state, count(*) as action_count, sum(amount) as amount
        from marts.actions group by all order by vendor, account, kind, state
        """
    )
    summary.next_commands = _next_commands(marts, places)
    summary.problems += _problems(summary) + _not_there(marts, documents)


def examine_put_right(summary: Summary, marts: Marts) -> None:
    """What was sent to put findings right must have ended them: reading the vendors again no longer finds them.

    The lanes build only what they are run for: `exceptions` still says what the settlement lane found, the levels say
    what there is now.
    """
    summary.put_right = marts.rows(
        """
        with still_there as (
            select marketplace_code, subject_id, exception_code from marts.rec_orders where status = 'EXCEPTION'
            union
            select marketplace_code, subject_id, exception_code from marts.rec_dispatches where status = 'EXCEPTION'
        )
        select actions.kind, actions.account, actions.state, count(*) as action_count, sum(actions.amount) as amount,
            count(found.subject_id) filter (where still_there.subject_id is null) as resolved_count,
            count(still_there.subject_id) as open_count
        from marts.actions as actions
        left join marts.exceptions as found
            on found.marketplace_code = actions.marketplace_code and found.subject_id = actions.natural_id
            and (actions.kind, found.exception_code) in (
                ('SALES_ORDER', 'ORD-001'), ('ACCEPTANCE', 'ORD-012'), ('DISPATCH', 'DSP-001'),
                ('ORDER_CANCELLATION', 'ORD-013'), ('CANCELATION', 'ORD-010'), ('CANCELATION', 'ORD-004'),
                ('CANCELATION', 'ORD-005')
            )
        left join still_there
            on still_there.marketplace_code = actions.marketplace_code and still_there.subject_id = actions.natural_id
            and (actions.kind, still_there.exception_code) in (
                ('SALES_ORDER', 'ORD-001'), ('ACCEPTANCE', 'ORD-012'), ('DISPATCH', 'DSP-001'),
                ('ORDER_CANCELLATION', 'ORD-013'), ('CANCELATION', 'ORD-010'), ('CANCELATION', 'ORD-004'),
                ('CANCELATION', 'ORD-005')
            )
        where
            actions.kind in
            ('SALES_ORDER', 'ACCEPTANCE', 'ORDER_CANCELLATION', 'CANCELATION', 'ORDER_ADDRESS', 'DISPATCH', 'TRACKING')
        group by all order by actions.kind, actions.account, actions.state
        """
    )
    for row in summary.put_right:
        what = f"{row['kind']} actions of {row['account']}"
        if row["state"] != "VERIFIED":
            summary.problems.append(f"{row['action_count']} {what} ended {row['state']}")
        if row["open_count"]:
            summary.problems.append(f"{row['open_count']} findings are still open after {what}")
    summary.problems += [
        f"DSP-001 {row['subject_id']} is still open after the dispatch lane"
        for row in marts.rows(
            "select subject_id from marts.rec_dispatches where exception_code = 'DSP-001' and status = 'EXCEPTION'"
        )
    ]
    summary.problems += [
        f"order {row['order_id']} still waits for acceptance: {row['summary']}"
        for row in marts.rows(
            """
            select order_id, summary from marts.deadlines
            where deadline = 'ACCEPTANCE' and waits_for <> 'DATA' order by due_at, order_id
            """
        )
    ]


def _compare_balances(summary: Summary, marts: Marts, truth: dict[str, Any]) -> None:
    """Every cycle of every seller beside the truth. A break that the marts name is in the truth's lines or pay-out."""
    columns = ("opening_amount", "moved_amount", "payout_amount", "closing_amount")
    expected = {
        str(row["billing_cycle_id"]): tuple(
            Decimal(amount)
            for amount in (
                row["opening"],
                Decimal(row["net"]) + Decimal(row.get("break", 0)),
                row["payout"],
                row["closing"],
            )
        )
        for row in (*truth["settlements"], *truth["seller_balances"])
    }
    actual = {
        str(row["billing_cycle_id"]): row
        for row in marts.rows(
            """
            select marketplace_code, billing_cycle_id, cycle_date, opening_amount,
                net_amount + break_amount as moved_amount, payout_amount, closing_amount
            from marts.fct_cycles
            """
        )
    }
    summary.balances_compared = len(expected)
    for cycle_id in sorted(expected.keys() | actual.keys()):
        row, should = actual.get(cycle_id), expected.get(cycle_id)
        if row is None or should is None or tuple(row[name] for name in columns) != should:
            summary.balances_off.append(
                {
                    "billing_cycle_id": cycle_id,
                    "expected": dict(zip(columns, should, strict=True)) if should else None,
                    "found": {name: row[name] for name in columns} if row else None,
                }
            )


def _problems(summary: Summary) -> list[str]:
    problems = []
    if not summary.feeds:
        problems.append("there are no control totals")
    problems += [
        f"the control total of {row['vendor']} {row['account']} {row['feed']} ({row['measure']}) is off by "
        f"{row['difference']}"
        for row in summary.unbalanced
    ]
    if not summary.payouts:
        problems.append("there are no billing cycles")
    problems += [
        f"the pay-out of cycle {row['billing_cycle_id']} has a residual of {row['residual_amount']}"
        for row in summary.payouts
        if row["residual_amount"]
    ]
    problems += [
        f"the sellers of {row['marketplace_code']} have a residual of {row['residual_amount']} on {row['cycle_date']}"
        for row in summary.sellers
        if row["residual_amount"]
    ]
    if summary.balances_off:
        shown = ", ".join(row["billing_cycle_id"] for row in summary.balances_off[:SHOWN])
        problems.append(f"{len(summary.balances_off):,} balances are not what the truth says: {shown}")
    accuracy = summary.accuracy
    if accuracy is not None:
        for score in accuracy.scores:
            for word, findings in (("missed", score.missed), ("invented", score.invented)):
                if findings:
                    shown = ", ".join(_subject(finding) for finding in findings[:SHOWN])
                    more = f" and {len(findings) - SHOWN:,} more" if len(findings) > SHOWN else ""
                    problems.append(f"{score.exception_code} {word}: {shown}{more}")
        problems += [f"a near-miss was raised: {_subject(finding)}" for finding in accuracy.near_misses_raised]
    problems += [
        f"{row['action_count']} {row['kind']} actions of {row['account']} ended {row['state']}"
        for row in summary.delivered
        if row["state"] in ("FAILED", "UNKNOWN", "SENDING", "SENT")
    ]
    return problems


def _not_there(marts: Marts, documents: Documents) -> list[str]:
    """Journals that are said to be read back from NetSuite, and that the account itself does not hold."""
    rows = marts.rows(
        """
        select account, wire_key from marts.actions
        where vendor = 'netsuite' and kind = 'JOURNAL' and state = 'VERIFIED' order by account, wire_key
        """
    )
    return [
        f"journal {row['wire_key']} is said to be in {row['account']} and is not there"
        for row in rows
        if f"JE-{row['wire_key']}" not in documents.get(row["account"], ())
    ]


def _subject(finding: Any) -> str:
    return f"{finding.marketplace_code} {finding.subject_type} {finding.subject_id}"


def _next_commands(marts: Marts, places: Places) -> list[str]:
    """Commands worth typing, with ids that exist."""
    queries = {
        "a pay-out": (
            "select billing_cycle_id as id from marts.fct_cycles where received_amount > 0 order by cycle_date, 1"
        ),
        "an order with a refund": (
            "select order_id as id from marts.fct_settlement_lines where refund_id is not null order by order_id"
        ),
        "a receipt": "select receipt_id as id from marts.fct_receipt_allocations order by receipt_id",
    }
    call = f"tieout --env-file {places.env}"
    commands = [f"{call} exceptions"]
    for query in queries.values():
        found = marts.rows(f"{query} limit 1")
        commands += [f"{call} explain {row['id']}" for row in found]
    return [*commands, f"{call} actions", f"{call} status", f"tieout app --dir {places.root}"]
