"""`tieout shadow report`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.session import Session

COLUMNS = (
    Col("kind", "Kind", "code"),
    Col("marketplace", "Marketplace", "code"),
    Col("what", "What"),
    Col("count", "Actions", "number"),
    Col("worth", "Amount", "code"),
)


def shadow_command(session: Session, *, since: datetime | None, out: Path | None) -> None:
    """Show, and with `out` write, what would have happened."""
    from orchestration.first_day import shadow as reports
    from orchestration.lib.registry import load_registry
    from orchestration.lib.settings import stamp

    settings = session.settings
    registry = load_registry(settings.config_dir)
    start = "" if since is None else stamp(since.replace(tzinfo=UTC))
    found = reports.shadow(
        session.require_outbox().actions(), registry.approval_policies, registry.switches, since=start
    )
    files: list[Path] = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        lines = reports.markdown(found, since=start, until=settings.clock.text(), write_back=settings.write_back)
        files = [out / "shadow.md", out / "shadow.csv"]
        files[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[1].write_text(reports.table(found), encoding="utf-8")
    if session.as_json:
        print_json(
            {
                "write_back": settings.write_back,
                "would": [asdict(one) for one in found],
                "files": [str(path) for path in files],
            }
        )
        return
    screen = console()
    if not found:
        screen.print("Nothing was proposed yet: `tieout run settlement` and the other lanes propose.", style="dim")
        return
    rows = [
        {
            "kind": one.kind,
            "marketplace": one.marketplace,
            "what": reports.OUTCOMES[one.outcome],
            "count": one.count,
            "worth": reports.amounts(one),
        }
        for one in found
    ]
    screen.print(table(rows, COLUMNS))
    mode = "on: this is no shadow any more" if settings.write_back else "off: nothing of it was sent"
    screen.print(f"Write-back is {mode}.", style="dim")
    if files:
        screen.print(f"Written: {', '.join(str(path) for path in files)}", markup=False)
