"""Shows a demo's summary: as one JSON document, or as tables."""

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.accuracy import Accuracy, CodeScore
from sandbox.demo_findings import Summary


def document(summary: Summary) -> dict[str, Any]:
    accuracy = summary.accuracy
    content: dict[str, Any] = _plain(
        {
            "is_success": summary.is_success,
            "problems": summary.problems,
            "folder": summary.folder,
            "steps": [
                {
                    "title": step.title,
                    "exit_code": step.exit_code,
                    "seconds": f"{step.seconds:.1f}",
                    "processor_seconds": f"{step.processor_seconds:.1f}",
                    "peak_megabytes": step.peak_bytes // 1_000_000,
                }
                for step in summary.steps
            ],
            "feeds": summary.feeds,
            "payouts": summary.payouts,
            "sellers": summary.sellers,
            "balances_compared": summary.balances_compared,
            "balances_off": summary.balances_off,
            "exceptions": [
                {
                    "marketplace_code": score.marketplace_code,
                    "exception_code": score.exception_code,
                    "planted": score.planted,
                    "found": score.found,
                    "precision": score.precision,
                    "recall": score.recall,
                    "missed": [finding._asdict() for finding in score.missed],
                    "invented": [finding._asdict() for finding in score.invented],
                }
                for score in (accuracy.scores if accuracy else ())
            ],
            "near_misses_raised": [finding._asdict() for finding in accuracy.near_misses_raised] if accuracy else [],
            "delivered": summary.delivered,
            "vendor_writes": summary.vendor_writes,
            "writes_of_second_run": summary.writes_of_second_run,
            "changed_by_second_run": summary.changed_by_second_run,
            "put_right": summary.put_right,
            "outage": summary.outage,
            "next_commands": summary.next_commands,
        }
    )
    return content


def _plain(value: Any) -> Any:
    """Money and dates as text, as `tieout --json` writes them."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def show(summary: Summary, out: Console) -> None:
    out.rule("What came in", align="left")
    feeds = _table("feed", ">in", ">staged", ">superseded", ">quarantined", ">landed again")
    for row in summary.feeds:
        counts = ("records_in_count", "staged_count", "superseded_count", "quarantined_count", "duplicate_count")
        feeds.add_row(f"{row['vendor']} {row['account']} {row['feed']}", *(f"{row[name] or 0:,}" for name in counts))
    out.print(feeds)
    out.print(
        "[green]✓[/green] in = staged + superseded + quarantined for every feed, and every sum of amounts ties"
        if summary.feeds and not summary.unbalanced
        else f"[bold red]✗ {len(summary.unbalanced)} control totals do not tie[/bold red]"
    )
    _show_payouts(summary, out)
    if summary.accuracy is not None:
        _show_accuracy(summary.accuracy, out)
    out.rule("Pushed and read back", align="left")
    delivered = _table("vendor", "account", "kind", "state", ">actions", ">amount")
    for row in summary.delivered:
        names = (str(row[name]) for name in ("vendor", "account", "kind", "state"))
        delivered.add_row(*names, f"{row['action_count']:,}", _money(row["amount"]))
    out.print(delivered)
    writes = ", ".join(f"{count} × {name}" for name, count in summary.vendor_writes.items()) or "nothing"
    out.print(f"The vendors received {writes}.")
    out.rule("Time and memory", align="left")
    steps = _table("step", ">seconds", ">of a processor", ">peak memory", ">exit")
    for step in summary.steps:
        numbers = (f"{step.seconds:.1f}", f"{step.processor_seconds:.1f}", f"{step.peak_bytes / 1e6:,.0f} MB")
        steps.add_row(step.title, *numbers, str(step.exit_code))
    out.print(steps)
    if not summary.writes_of_second_run and not summary.changed_by_second_run:
        out.print("[green]✓[/green] the second run wrote nothing anywhere and left every mart as it was")
    if summary.put_right:
        out.rule("Put right in the ERPs and at the marketplaces, and proved by reading them again", align="left")
        right = _table("account", "kind", "state", ">actions", ">amount", ">findings ended")
        for row in summary.put_right:
            numbers = (f"{row['action_count']:,}", _money(row["amount"]), f"{row['resolved_count']:,}")
            right.add_row(str(row["account"]), str(row["kind"]), str(row["state"]), *numbers)
        out.print(right)
    out.rule("What to type next", align="left")
    for command in summary.next_commands:
        out.print(f"  {command}", soft_wrap=True)
    if summary.problems:
        out.rule("[bold red]Not as it should be[/bold red]", align="left")
        for problem in summary.problems:
            out.print(f"[red]✗[/red] {problem}", soft_wrap=True)
    else:
        out.print("[bold green]Everything ties out, and every planted fault was found.[/bold green]")


def _show_payouts(summary: Summary, out: Console) -> None:
    names = ("opening", "net", "break", "payout", "closing", "residual")
    headings = (">opening", ">net", ">named break", ">paid out", ">carried on", ">residual")
    out.rule("Pay-outs explained", align="left")
    payouts = _table("marketplace", "cycle", "state", *headings)
    for row in summary.payouts:
        cycle = f"{row['cycle_date']} {str(row['billing_cycle_id'])[:8]}"
        amounts = [_money(row[f"{name}_amount"]) for name in names]
        payouts.add_row(str(row["marketplace_code"]), cycle, str(row["pay_out_state"]), *amounts)
    out.print(payouts)
    if summary.sellers:
        out.rule("Pay-outs of the sellers, as their operator", align="left")
        sellers = _table("marketplace", "cycle", ">sellers", ">paid", *headings)
        for row in summary.sellers:
            counts = (f"{row['seller_count']:,}", f"{row['paid_count']:,}")
            amounts = [_money(row[f"{name}_amount"]) for name in names]
            sellers.add_row(str(row["marketplace_code"]), str(row["cycle_date"]), *counts, *amounts)
        out.print(sellers)
    out.print(
        f"[bold red]✗ {len(summary.balances_off):,} of {summary.balances_compared:,} balances differ from the truth[/]"
        if summary.balances_off
        else f"[green]✓[/green] all {summary.balances_compared:,} balances, seller by seller, are what the truth says"
    )


def _show_accuracy(accuracy: Accuracy, out: Console) -> None:
    out.rule("Exceptions found, against the truth", align="left")
    table = _table("marketplace", "code", ">planted", ">found", ">precision", ">recall")
    for marketplace in accuracy.marketplaces:
        part = accuracy.of(marketplace)
        for score in part.scores:
            table.add_row(
                marketplace, score.exception_code, *_numbers(score), style="" if score.is_perfect else "bold red"
            )
        table.add_section()
        table.add_row(marketplace, "all", *_numbers(part), style="bold")
    out.print(table)


def _numbers(score: CodeScore | Accuracy) -> tuple[str, str, str, str]:
    return f"{score.planted:,}", f"{score.found:,}", str(score.precision), str(score.recall)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return table


def _money(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
