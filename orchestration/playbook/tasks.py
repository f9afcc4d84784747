"""What there is to do, by rhythm and team. `{...}` in a command is filled in from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestration.lib.registry import Registry

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "month-end"
FINANCE, OPERATIONS, CUSTOMER_SERVICE = "FINANCE", "OPERATIONS", "CUSTOMER_SERVICE"


def _always(registry: Registry) -> bool:
    return True


def _sells(registry: Registry) -> bool:
    return any(row.is_enabled and row.perspective == "SELLER" for row in registry.marketplaces)


def _operates(registry: Registry) -> bool:
    return any(row.is_enabled and row.perspective == "OPERATOR" for row in registry.marketplaces)


def _sql(*parts: str) -> str:
    return 'tieout sql "' + " ".join(parts) + '"'


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to check. `good` is what it looks like when all is well, `otherwise` what to do when it does not."""

    rhythm: str
    team: str
    title: str
    commands: tuple[str, ...]
    good: str
    otherwise: str
    applies: Callable[[Registry], bool] = _always


TASKS: tuple[Task, ...] = (
    Task(
        DAILY,
        FINANCE,
        "Did the night go well?",
        ("tieout status",),
        "Every lane SUCCEEDED, every feed fresh, control totals balanced, nothing FAILED or UNKNOWN.",
        "Figures of a stale feed are not to be trusted: tell operations, and wait with approvals that rest on it.",
    ),
    Task(
        DAILY,
        FINANCE,
        "What needs us today",
        ("tieout exceptions --open --owner FINANCE", "tieout alerts --team FINANCE"),
        "Nothing overdue; every S1 has somebody's name (`tieout alerts ack ID --reason ...`).",
        "Open the page of the code, do what it says; `tieout explain ID` shows the money behind it.",
    ),
    Task(
        DAILY,
        FINANCE,
        "Approve or reject",
        ("tieout actions --state PROPOSED",),
        "Nothing waits longer than a day.",
        "Look at one with `tieout actions KEY --requests`; `tieout approve KEY` or `tieout reject KEY --reason ...`.",
    ),
    Task(
        DAILY,
        FINANCE,
        "Money on its way",
        (_sql("select * from unmatched_payouts order by days_open desc"),),
        "Pay-outs of the last days only.",
        "Older ones: chase the operator or the bank; match by hand with `tieout match CYCLE RECEIPT --reason ...`.",
        _sells,
    ),
    Task(
        DAILY,
        OPERATIONS,
        "Orders before their deadline",
        (
            _sql(
                "select deadline, order_id, due_at, minutes_left, waits_for, summary from deadlines",
                "where status <> 'IN_TIME' order by due_at",
            ),
        ),
        "No row.",
        "`waits_for` says whose turn it is: ERP, DATA (an item, a map), PERSON (an approval), DESPATCH.",
        _sells,
    ),
    Task(
        DAILY,
        OPERATIONS,
        "What needs us today",
        ("tieout exceptions --open --owner OPERATIONS", "tieout alerts --team OPERATIONS"),
        "Nothing overdue; every S1 has somebody's name.",
        "Open the page of the code. Stop despatches first (ORD-003, ORD-013), then sales of nothing (OFR, STK).",
    ),
    Task(
        DAILY,
        OPERATIONS,
        "Records that could not be read",
        (_sql("select feed, record_id, field_name, reason from quarantine"),),
        "No row.",
        "Sums are incomplete while it stays: ask the vendor, or have the decoder mended (DAT-003).",
    ),
    Task(
        DAILY,
        OPERATIONS,
        "What is stuck on its way",
        ("tieout actions --state FAILED --state UNKNOWN",),
        "No row.",
        "UNKNOWN: wait for the next run, never repeat by hand. FAILED: mend the reason, then `tieout approve KEY`.",
    ),
    Task(
        DAILY,
        CUSTOMER_SERVICE,
        "Customers who wait",
        ("tieout exceptions --open --owner CUSTOMER_SERVICE",),
        "Nothing overdue.",
        "Look an order up by any id or tracking number with `tieout explain ID`, by postcode or relay address with "
        "`tieout privacy find`; both under Orders in the app.",
        _sells,
    ),
    Task(
        WEEKLY,
        FINANCE,
        "What to claim from the operator",
        ("tieout claims", "tieout claims --out claims"),
        "Every pack of last week was sent.",
        "Send each pack; a rate that the operator agrees to goes into commission_contracts.csv, from its date on.",
        _sells,
    ),
    Task(
        WEEKLY,
        FINANCE,
        "What grows old",
        (
            _sql(
                "select marketplace_code, level_code, exception_code, age_band, item_count,",
                "open_amount, currency_code from reconciliation_debt order by oldest_days desc",
            ),
        ),
        "Nothing beyond 30 days without a name.",
        "Decide: claim, write off within the limits (`tieout write-off ID --reason ...`), or escalate.",
    ),
    Task(
        WEEKLY,
        FINANCE,
        "What people decided",
        ("tieout decisions", "tieout audit log"),
        "Every reason could be shown to an auditor.",
        "`tieout reopen ID --reason ...`, `tieout unmatch CYCLE RECEIPT --reason ...` take a decision back.",
    ),
    Task(
        WEEKLY,
        OPERATIONS,
        "The set-up, as a consultant would look at it",
        ("tieout audit systems --offline",),
        "No finding of impact HIGH.",
        "Each finding has its remedy: `tieout audit systems --out audit` writes the report.",
    ),
    Task(
        WEEKLY,
        OPERATIONS,
        "Is anything missing, was anything changed?",
        ("tieout audit verify", "tieout compare --since {month_ago}"),
        "The trail holds; no id is missing. Note the head somewhere else.",
        "A trail that does not hold: write-back off at once, keep the file, find out who.",
    ),
    Task(
        WEEKLY,
        OPERATIONS,
        "Did the alerts help?",
        ("tieout alerts report --days 7",),
        "Nothing over the budget, nobody escalated to without need.",
        "Move severities, hours and budgets in alert_routes.csv; work off what keeps coming back (HIS-4 of the audit).",
    ),
    Task(
        WEEKLY,
        CUSTOMER_SERVICE,
        "Refunds that customers do not have",
        (
            _sql(
                "select order_id, refund_status, credited_amount from order_status where",
                "is_customer_not_yet_refunded",
            ),
        ),
        "No row older than a week.",
        "CRN-001: refund at the marketplace, or let lane returns do it.",
        _sells,
    ),
    Task(
        MONTHLY,
        FINANCE,
        "From working day 1: what blocks the close",
        ("tieout close {period} --entity {entity}",),
        "Every blocking check is done.",
        "The list says who and by which working day.",
    ),
    Task(
        MONTHLY,
        FINANCE,
        "The clearing accounts tie out",
        (
            _sql(
                "select marketplace_code, account_role, closing_amount, erp_closing_amount,",
                "difference_amount, unexplained_amount from clearing_rollforward where period =",
                "'{period}'",
            ),
        ),
        "`unexplained_amount` is 0.00 everywhere.",
        "CLR-001 to CLR-005 name what it is made of.",
    ),
    Task(
        MONTHLY,
        FINANCE,
        "Profitability ties to the ledger",
        (_sql("select * from profitability_tie_out where period = '{period}' and difference_amount", "<> 0"),),
        "No row.",
        "A posting without a marketplace or an item: `unattributed_amount` says which account.",
        _sells,
    ),
    Task(
        MONTHLY,
        FINANCE,
        "Sign, lock, keep the evidence",
        (
            "tieout close {period} --entity {entity} --sign --role preparer --as NAME",
            "tieout close {period} --entity {entity} --sign --role reviewer --as OTHER",
            "tieout close {period} --entity {entity} --lock",
            "tieout close {period} --entity {entity} --pack packs",
        ),
        "Two different people signed; the pack verifies (`tieout audit verify packs/FILE.zip`).",
        "What arrives after the lock is posted into the next month, with an approval (JNL-010).",
    ),
    Task(
        MONTHLY,
        FINANCE,
        "Sellers' balances",
        (
            _sql(
                "select shop_id, shop_name, closing_amount, reserve_held_amount, pay_out_state from",
                "seller_balances where is_newest and closing_amount < 0",
            ),
        ),
        "No seller in debt without an agreement.",
        "PAY-004, PAY-005: hold the next pay-out, or ask the seller.",
        _operates,
    ),
    Task(
        MONTHLY,
        OPERATIONS,
        "Before the close: whole and fresh",
        (_sql("select * from completeness where not is_complete"), "tieout doctor --offline"),
        "No row; no fail.",
        "Restart the feed; the close is blocked while it stays (DAT-001, DAT-002).",
    ),
)
