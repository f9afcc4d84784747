"""Matching pay-outs to bank receipts of one payer without a reference in any text, by the project's own models.

    python -m benchmarks.receipts --payouts 2000

Three shapes of the same pay-outs and as many receipts: one pay-out a day (each receipt has nine candidates), three a
day (as many as are tried in every combination: the most work), and all within one week (every receipt has all of them,
so the search ends at its bound and says so). Groups, parts and fees are among them; what was brought together is
compared with what was paid, and nothing wrong may be decided.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.measuring import machine, report
from orchestration.lib import dbt
from orchestration.lib.raw_tables import create_own_tables
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect

MARKETPLACE, ACCOUNT = "BRICO", "BARC_GBP"
FIRST_DAY = date(2020, 6, 1)
SHAPES = {"one a day": 1, "three a day": 3, "all in a week": 0}
MODELS = (
    "tolerances",
    "stg_tieout__tolerances",
    "stg_tieout__decisions",
    "int_matching__subsets",
    "int_matching__pair_decisions",
    "int_matching__receipt_references",
    "int_matching__receipts",
    "int_matching__receipt_candidates",
    "int_matching__receipts_rule_*",
    "int_matching__receipts_decided",
)
Pair = tuple[str, str]


def invented(count: int, a_day: int, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[Pair]]:
    """Pay-outs, receipts and which belongs to which. Amounts are pence here; `a_day` 0 puts all into one week."""
    rng = random.Random(seed)
    days = [FIRST_DAY + timedelta(days=number // a_day if a_day else rng.randrange(7)) for number in range(count)]
    payouts = [
        {"billing_cycle_id": f"p{number:05}", "pay_out_date": day, "payout_amount": rng.randrange(5_000, 9_000_000)}
        for number, day in enumerate(days)
    ]
    receipts: list[dict[str, Any]] = []
    pairs: set[Pair] = set()

    def receive(day: date, amount: int, *paid: dict[str, Any]) -> None:
        receipt_id = f"{ACCOUNT}-r{len(receipts):05}"
        receipts.append({"receipt_id": receipt_id, "value_date": day + timedelta(days=1), "amount": amount})
        pairs.update((receipt_id, one["billing_cycle_id"]) for one in paid)

    at = 0
    while at < count:
        kind = rng.choices(("exact", "group", "parts", "fee", "group less a fee", "nothing"), (60, 8, 12, 6, 4, 10))[0]
        group = payouts[at : at + rng.randrange(2, 6)] if kind.startswith("group") else payouts[at : at + 1]
        at += len(group)
        total = sum(one["payout_amount"] for one in group)
        day = group[-1]["pay_out_date"]
        if kind == "parts":
            cuts = sorted(rng.randrange(1, total) for _ in range(rng.randrange(1, 4)))
            for start, end in zip([0, *cuts], [*cuts, total], strict=True):
                receive(day, end - start, *group)
        elif kind == "nothing":
            receive(day, rng.randrange(5_000, 9_000_000))
        else:
            receive(day, total - (rng.randrange(100, 1_000) if "fee" in kind else 0), *group)
    return payouts, receipts[:count], pairs


def prepare(settings: Settings, payouts: list[dict[str, Any]], receipts: list[dict[str, Any]]) -> None:
    """The tables that the models of level e read, as the models before them would have left them."""
    tables = {"payouts": pa.Table.from_pylist(payouts), "receipts": pa.Table.from_pylist(receipts)}
    with connect(settings) as connection:
        create_own_tables(connection)
        for name, table in tables.items():
            connection.register(name, table)
        connection.execute("create schema ledger; create schema matching")
        connection.execute(
            f"""
            create table matching.int_matching__payouts as
            select
                '{MARKETPLACE}' as marketplace_code, 'UKTRADE' as entity_code, billing_cycle_id, 'GBP' as currency_code,
                (payout_amount / 100)::decimal(18, 2) as payout_amount, 'PAID' as pay_out_state, pay_out_date,
                null::varchar as pay_out_reference, null::varchar as voucher_number, null::varchar as document_number,
                pay_out_date as cycle_date, '{ACCOUNT}' as bank_account_code
            from payouts
            """  # noqa: S608
        )
        connection.execute(
            f"""
            create table ledger.int_ledger__receipts as
            select
                receipt_id, '{ACCOUNT}' as bank_account_code, 'UKTRADE' as entity_code, 'STATEMENT' as receipt_source,
                value_date, value_date as booking_date, (amount / 100)::decimal(18, 2) as amount,
                'GBP' as currency_code,
                null::decimal(18, 2) as original_amount, null::varchar as original_currency_code,
                'PAYER' as counterparty_name, 'SETTLEMENT ' || receipt_id as remittance_information,
                null::varchar as end_to_end_id, true as is_from_payer, '{MARKETPLACE}' as marketplace_code
            from receipts
            """  # noqa: S608
        )
        connection.execute(
            f"""
            create table ledger.int_ledger__marketplaces as
            select
                '{MARKETPLACE}' as marketplace_code, 'UKTRADE' as entity_code, '{ACCOUNT}' as bank_account_code,
                date '2010-01-01' as go_live_date
            """
        )
        # Nothing here is in a foreign currency.
        connection.execute(
            """
            create table ledger.int_ledger__daily_rates (
                entity_code varchar, functional_currency varchar, currency_code varchar, rate_day date,
                reference_rate decimal(18, 8)
            )
            """
        )


def matched(count: int, a_day: int, seed: int) -> dict[str, Any]:
    """Seconds of the models, and what they decided."""
    payouts, receipts, pairs = invented(count, a_day, seed)
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as folder:
        settings = Settings(data_dir=Path(folder))
        prepare(settings, payouts, receipts)
        dbt.ensure_manifest(settings)
        began = time.monotonic()
        result = dbt.build(settings, select=MODELS, exclude=("resource_type:test",))
        wall = time.monotonic() - began
        assert result.ok, result
        with connect(settings) as connection:
            rows = connection.execute(
                """
                select receipt_id, billing_cycle_id, rule_code, is_decided, is_bounded
                from matching.int_matching__receipts_decided
                """
            ).fetchall()
    models = {node.name: round(node.seconds, 2) for node in result.nodes if node.resource_type == "model"}
    decided = {(receipt, payout) for receipt, payout, _, is_decided, _ in rows if is_decided}
    assert decided <= pairs, f"decided wrongly: {sorted(decided - pairs)[:3]}"
    return {
        "payouts": len(payouts),
        "receipts": len(receipts),
        "seconds_of_the_models": round(sum(models.values()), 2),
        "seconds_with_dbt": round(wall, 2),
        "slowest": dict(Counter(models).most_common(4)),
        "pairs_paid": len(pairs),
        "pairs_decided": len(decided),
        "decided_by_rule": dict(Counter(rule for _, _, rule, is_decided, _ in rows if is_decided)),
        "receipts_for_a_person": len({receipt for receipt, _, _, is_decided, _ in rows if not is_decided and receipt}),
        "searches_that_ended_at_the_bound": len({r or p for r, p, _, _, is_bounded in rows if is_bounded}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--payouts", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "asked": {"payouts": options.payouts, "seed": options.seed}}
    for shape, a_day in SHAPES.items():
        result[shape] = matched(options.payouts, a_day, options.seed)
    report(result, options.output)


if __name__ == "__main__":
    main()
