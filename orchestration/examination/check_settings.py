"""Which settings break a tie-out, hide a difference, or let more happen than somebody meant?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check, counted

HIDDEN = Decimal("10.00")
"""From this sum on, small differences within tolerances are worth a look; in any currency."""
LEVELS = ("rec_orders", "rec_settlement_lines", "rec_documents", "rec_receipts", "rec_refunds")
MONEY_KINDS = ("JOURNAL", "REFUND")


@check(
    "CFG-1",
    "settings",
    Impact.HIGH,
    "Orders whose tax mode is not the configured one",
    why="Every price comparison of such an order is off by the tax.",
    remedy="Set order_tax_mode of marketplaces.csv to what the operator set up, or ask the operator.",
)
def wrong_tax_mode(facts: Facts) -> Iterator[Found]:
    for market in facts.registry.marketplaces:
        rows = facts.rows(
            """
            select tax_mode, currency_code, count(*) as orders, sum(total_amount) as amount from fct_orders
            where marketplace_code = $1 and tax_mode is not null and tax_mode <> $2 group by 1, 2
            """,
            [market.marketplace_code, market.order_tax_mode],
        )
        for row in by_amount(rows):
            yield Found(
                market.marketplace_code,
                f"{counted(row['orders'], 'order')} of mode {row['tax_mode']}, configured is {market.order_tax_mode}.",
                f"marketplaces.csv line {market.line}",
                row["amount"],
                row["currency_code"],
            )


@check(
    "CFG-2",
    "settings",
    Impact.MEDIUM,
    "Differences that tolerances let through",
    why="Each is small, their sum is not; somebody keeps it.",
    remedy="Narrow the tolerance in tolerances.csv from a date on, or claim the sum.",
)
def hidden_by_tolerances(facts: Facts) -> Iterator[Found]:
    for level in LEVELS:
        rows = facts.rows(
            f"""
            select marketplace_code, rule_code, currency_code, count(*) as items,
                sum(abs(coalesce(delta_amount, 0))) as amount
            from {level} where status = 'MATCHED_WITHIN_TOLERANCE' group by 1, 2, 3
            having sum(abs(coalesce(delta_amount, 0))) >= {HIDDEN}
            """
        )
        for row in by_amount(rows):
            yield Found(
                f"{row['marketplace_code']} {row['rule_code']}",
                f"{counted(row['items'], 'difference')} accepted within the tolerance.",
                f"select * from {level} where status = 'MATCHED_WITHIN_TOLERANCE'",
                row["amount"],
                row["currency_code"],
            )


@check(
    "CFG-3",
    "settings",
    Impact.MEDIUM,
    "Cycles on other days than configured",
    why="Pay-outs are expected on the wrong day: late ones are not seen, punctual ones are chased.",
    remedy="Set cycle_days of marketplaces.csv.",
)
def other_cycle_days(facts: Facts) -> Iterator[Found]:
    for market in facts.registry.marketplaces:
        days = {int(day) for day in market.cycle_days.split("|")}
        rows = facts.rows(
            """
            select day(cycle_date) as cycle_day, count(distinct billing_cycle_id) as cycles from fct_cycles
            where marketplace_code = $1 and cycle_date > $2 - interval 120 day and is_declared group by 1
            """,
            [market.marketplace_code, facts.now],
        )
        other = {int(row["cycle_day"]): int(row["cycles"]) for row in rows if int(row["cycle_day"]) not in days}
        total = sum(int(row["cycles"]) for row in rows)
        if other and sum(other.values()) * 4 > total:
            listed = ", ".join(f"{count} on day {day}" for day, count in sorted(other.items()))
            yield Found(
                market.marketplace_code,
                f"Of {total} cycles {listed} of the month; configured is {market.cycle_days}.",
                f"marketplaces.csv line {market.line}",
            )


@check(
    "CFG-4",
    "settings",
    Impact.HIGH,
    "No opening balance on the evening before going live",
    why="The clearing account can never tie out: what stood there before is taken for a difference.",
    remedy="Add the marketplace's balances to opening_balances.csv, as of the day before go_live_date.",
)
def missing_opening_balances(facts: Facts) -> Iterator[Found]:
    for market in facts.registry.marketplaces:
        if not market.is_enabled or market.perspective != "SELLER" or market.go_live_date > facts.now.date():
            continue
        eve = market.go_live_date - timedelta(days=1)
        rows = [
            row
            for row in facts.registry.opening_balances
            if row.marketplace_code == market.marketplace_code and row.account_role == "MARKETPLACE_CLEARING"
        ]
        if not rows:
            yield Found(market.marketplace_code, f"has no opening balance as of {eve}.", "opening_balances.csv")
        for row in rows:
            if row.as_of_date != eve and row.item_kind == "BALANCE":
                yield Found(
                    market.marketplace_code,
                    f"opens as of {row.as_of_date}, but goes live on {market.go_live_date}.",
                    f"opening_balances.csv line {row.line}",
                )


@check(
    "CFG-5",
    "settings",
    Impact.HIGH,
    "Approved actions that nothing sends",
    why="Everybody believes that they went out.",
    remedy="Switch the kind on (switches.csv, TIEOUT_WRITE_BACK), run its lane, or reject them.",
)
def approved_and_stuck(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, kind, currency_code, count(*) as actions, min(decided_at) as since,
            sum(abs(coalesce(amount, 0))) as amount
        from actions where state = 'APPROVED' and decided_at < $1 - interval 1 day group by 1, 2, 3
        """,
        [facts.now],
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['kind']}",
            f"{counted(row['actions'], 'action')} approved and waiting since {row['since']:%Y-%m-%d}.",
            "tieout actions --state APPROVED",
            row["amount"] or None,
            row["currency_code"],
        )


@check(
    "PER-1",
    "permissions",
    Impact.HIGH,
    "Permissions too narrow",
    why="What cannot be read is missing from the books; what cannot be written stays undone.",
    remedy="As the line says; `tieout doctor` asks again.",
    needs_accounts=True,
)
def too_narrow(facts: Facts) -> Iterator[Found]:
    for answer in facts.accounts or ():
        if not answer.ok:
            advice = f" {answer.action[:1].upper()}{answer.action[1:]}." if answer.action else ""
            yield Found(f"{answer.account} {answer.name}", f"{answer.detail}.{advice}", "tieout doctor")


@check(
    "PER-2",
    "permissions",
    Impact.MEDIUM,
    "Money that leaves without a person or a limit",
    why="One wrong rule posts or pays any amount before anybody looks.",
    remedy="Set PERSON in approval_policies.csv, or a maximum_amount with its currency.",
)
def unlimited_policies(facts: Facts) -> Iterator[Found]:
    if not facts.write_back:
        return
    for policy in facts.registry.approval_policies:
        if policy.kind in MONEY_KINDS and policy.mode == "AUTO" and policy.maximum_amount is None:
            yield Found(
                f"{policy.kind} {policy.marketplace_code}",
                "goes out by itself, whatever the amount.",
                f"approval_policies.csv line {policy.line}",
            )


@check(
    "PER-3",
    "permissions",
    Impact.LOW,
    "One key that opens several shops",
    why="Whoever has it has all of them, and they share one allowance of calls.",
    remedy="Ask for a key per shop, and leave key_name empty.",
)
def shared_keys(facts: Facts) -> Iterator[Found]:
    holders: dict[str, list[str]] = {}
    for market in facts.registry.marketplaces:
        if market.is_enabled:
            holders.setdefault(market.secret_name, []).append(market.marketplace_code)
    for name, codes in sorted(holders.items()):
        if len(codes) > 1:
            yield Found(name, f"opens {', '.join(codes)}.", "marketplaces.csv, key_name")
