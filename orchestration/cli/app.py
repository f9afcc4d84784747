"""The commands and their options. What a command does is in its own module, imported when the command runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.alerts_app import alerts_app
from orchestration.cli.audit_app import audit_app
from orchestration.cli.first_day_app import shadow_app
from orchestration.cli.group import TieoutGroup
from orchestration.cli.mappings_app import mappings_app
from orchestration.cli.options import By, FailOn, Json, Marketplace, MendsCause, MendsCode
from orchestration.cli.options import session_of as _session
from orchestration.cli.privacy_app import privacy_app
from orchestration.cli.session import Session, load_env_file

EPILOG = (
    "Exit codes: 0 fine · 1 error · 2 wrong usage · 3 exceptions open at or above --fail-on · "
    "4 configuration wrong · 5 a vendor account failed, the others went on."
)

app = typer.Typer(
    name="tieout",
    cls=TieoutGroup,
    help="Ties Mirakl marketplaces out to the books: every order, every fee, every pay-out, to the penny.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(audit_app, name="audit")
app.add_typer(shadow_app, name="shadow")
auth_app = typer.Typer(help="Sign in to a vendor that knows no key but a person's consent.", no_args_is_help=True)
app.add_typer(auth_app, name="auth")
app.add_typer(alerts_app, name="alerts")
app.add_typer(mappings_app, name="mappings")
app.add_typer(privacy_app, name="privacy")


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"tieout {version('tieout')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    json: Json = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file",
            help="File of KEY=value lines; default: TIEOUT_ENV_FILE, else .env here. The environment wins.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    session = ctx.ensure_object(Session)
    session.debug = debug
    ctx.call_on_close(session.close)
    load_env_file(env_file)


@app.command()
def run(
    ctx: typer.Context,
    lane: Annotated[str, typer.Argument(help="settlement or stock")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; show the exact requests.")] = False,
    all_feeds: Annotated[
        bool, typer.Option("--all-feeds", help="Also feeds read more recently than their vendor recommends.")
    ] = False,
    fail_on: FailOn = None,
    json: Json = False,
) -> None:
    """Run one lane: fetch, reconcile, publish, propose, deliver what may go, and read it back."""
    from orchestration.cli.commands.run import run_command

    run_command(_session(ctx), lane, dry_run=dry_run, all_feeds=all_feeds, fail_on=fail_on)


@app.command()
def compare(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="First day (UTC); default: 35 days ago."),
    ] = None,
    json: Json = False,
) -> None:
    """Ask for all ids of a past window again: what is missing here is loaded, what is gone at the vendor is shown."""
    from orchestration.cli.commands.compare import compare_command

    compare_command(_session(ctx), since)


@app.command()
def reload(ctx: typer.Context, json: Json = False) -> None:
    """Load all evidence files again, after an update that reads more of them. Calls no vendor."""
    from orchestration.cli.commands.reload import reload_command

    reload_command(_session(ctx))


@app.command()
def rebuild(ctx: typer.Context, json: Json = False) -> None:
    """Make a lost or damaged warehouse and the published marts anew from the evidence, and compare them."""
    from orchestration.cli.commands.rebuild import rebuild_command

    rebuild_command(_session(ctx))


@app.command()
def replay(
    ctx: typer.Context,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The marts as they stood then (UTC): 2026-07-03T08:00.")
    ] = None,
    number: Annotated[int | None, typer.Option("--point", help="One of the points that are listed.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="New folder to build them in.")] = None,
    json: Json = False,
) -> None:
    """Build the marts of a past moment again, from evidence, configuration and models of that time; list the points."""
    from orchestration.cli.commands.replay import replay_command

    replay_command(_session(ctx), as_of, number, to)


@app.command()
def backup(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(help="New folder to write the backup into.")],
    json: Json = False,
) -> None:
    """A consistent copy of evidence, manifest, outbox, warehouse, marts and configuration; no keys. Lanes may wait."""
    from orchestration.cli.commands.backup import backup_command

    backup_command(_session(ctx), target)


@app.command()
def restore(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="A backup.")],
    directory: Annotated[Path, typer.Argument(help="New folder: data/ and config/ are put there.")],
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="HASH", help="What `tieout backup` printed last.")
    ] = None,
    json: Json = False,
) -> None:
    """Set up an installation from a backup and prove it equal. A byte that changed since is refused."""
    from orchestration.cli.commands.backup import restore_command

    restore_command(_session(ctx), source, directory, expect=expect)


@app.command()
def status(ctx: typer.Context, fail_on: FailOn = None, json: Json = False) -> None:
    """Last runs, freshness and completeness of the feeds, open exceptions, state of the outbox."""
    from orchestration.cli.commands.status import status_command

    status_command(_session(ctx), fail_on=fail_on)


@app.command()
def storage(ctx: typer.Context, json: Json = False) -> None:
    """What evidence, warehouse and marts take on disk, and how much that is for a million records."""
    from orchestration.cli.commands.storage import storage_command

    storage_command(_session(ctx))


@app.command()
def claims(
    ctx: typer.Context,
    marketplace: Marketplace = None,
    kind: Annotated[str | None, typer.Option("--kind", help="COMMISSION, FEE, SHIPPING, …")] = None,
    pack: Annotated[str | None, typer.Option("--pack", help="List the items of one pack.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write one CSV file per pack into.")] = None,
    json: Json = False,
) -> None:
    """What the operator has to put right: items with rule, both amounts and evidence, in packs to send."""
    from orchestration.cli.commands.claims import claims_command

    claims_command(_session(ctx), marketplace=marketplace, kind=kind, pack=pack, out=out)


@app.command()
def exceptions(
    ctx: typer.Context,
    code: Annotated[str | None, typer.Option("--code", "-c", help="Code, or its beginning: BNK, BNK-003.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="FINANCE, OPERATIONS or CUSTOMER_SERVICE.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="OPEN (default), RESOLVED, …, or ALL.")] = None,
    marketplace: Marketplace = None,
    severity: Annotated[
        str | None, typer.Option("--severity", help="This severity or worse: S2 means S1 and S2.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="One line per code.")] = False,
    to_do: Annotated[bool, typer.Option("--open", help="As a list of what to do, most urgent first.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; 0 = all.")] = 50,
    fail_on: FailOn = None,
    json: Json = False,
) -> None:
    """What does not tie out, what it is worth, who owns it and what to do."""
    from orchestration.cli.commands.exceptions import exceptions_command

    exceptions_command(
        _session(ctx),
        code=code,
        owner=owner,
        status=status,
        marketplace=marketplace,
        severity=severity,
        summary=summary,
        limit=limit,
        fail_on=fail_on,
        to_do=to_do,
    )


@app.command()
def explain(
    ctx: typer.Context,
    id: Annotated[
        str, typer.Argument(help="Order, line, refund, pay-out, voucher, receipt, journal, SKU, exception, document …")
    ],
    marketplace: Annotated[
        str | None, typer.Option("--marketplace", "-m", help="Of this marketplace only, where several have such an id.")
    ] = None,
    json: Json = False,
) -> None:
    """The chain the money took, to the penny, from any id."""
    from orchestration.cli.commands.explain import explain_command

    explain_command(_session(ctx), id, marketplace)


@app.command()
def evidence(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="Order, line, refund, document, voucher, receipt, SKU, ERP reference …")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Newest records to show.")] = 50,
    json: Json = False,
) -> None:
    """File and record of every answer of a vendor that names the id, and whether the files are what was landed."""
    from orchestration.cli.commands.evidence import evidence_command

    evidence_command(_session(ctx), id, limit=limit)


@app.command()
def actions(
    ctx: typer.Context,
    key: Annotated[str | None, typer.Argument(help="One action, by key or wire key, with its history.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", "-s", help="Only these states.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", "-k", help="JOURNAL, STOCK, SALES_ORDER, REFUND, …")] = None,
    marketplace: Marketplace = None,
    code: MendsCode = None,
    cause: MendsCause = None,
    requests: Annotated[bool, typer.Option("--requests", help="Show the exact requests that would be sent.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; 0 = all.")] = 50,
    json: Json = False,
) -> None:
    """What was proposed, approved and sent to the ERP and the marketplaces."""
    from orchestration.cli.commands.actions import actions_command

    actions_command(
        _session(ctx),
        key=key,
        states=state or [],
        kind=kind,
        marketplace=marketplace,
        code=code,
        cause=cause,
        requests=requests,
        limit=limit,
    )


@app.command()
def approve(
    ctx: typer.Context,
    keys: Annotated[list[str] | None, typer.Argument(help="Action keys or wire keys.")] = None,
    all_proposed: Annotated[
        bool, typer.Option("--all", help="Everything PROPOSED (with --kind, --marketplace, --code, --cause).")
    ] = False,
    kind: Annotated[str | None, typer.Option("--kind", "-k", help="With --all: only this kind.")] = None,
    marketplace: Marketplace = None,
    code: MendsCode = None,
    cause: MendsCause = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Let actions go. Also re-opens what FAILED or was REJECTED. They leave with the next run of their lane."""
    from orchestration.cli.commands.actions import approve_command

    approve_command(
        _session(ctx),
        keys or [],
        all_proposed=all_proposed,
        kind=kind,
        marketplace=marketplace,
        code=code,
        cause=cause,
        reason=reason,
        by=by,
    )


@app.command()
def reject(
    ctx: typer.Context,
    keys: Annotated[list[str], typer.Argument(help="Action keys or wire keys.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Say no to actions. The same content is not proposed again."""
    from orchestration.cli.commands.actions import reject_command

    reject_command(_session(ctx), keys, reason=reason, by=by)


Reason = Annotated[str, typer.Option("--reason", help="Why, for the auditor; name no customer.")]


@app.command("match")
def match_receipt(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="The pay-out: id of the billing cycle that it pays.")],
    receipt: Annotated[str, typer.Argument(help="The receipt.")],
    reason: Reason,
    residual: Annotated[
        str | None,
        typer.Option("--residual", help="What the difference is: FEE (bank's), EXCHANGE, or OPEN (stays open)."),
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """A receipt pays a pay-out, whatever the rules say. Several matches of one receipt or pay-out make a group."""
    from orchestration.cli.commands.decisions import match_command

    match_command(_session(ctx), payout, receipt, residual=residual, reason=reason, by=by)


@app.command()
def unmatch(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(help="The pay-out: id of the billing cycle that it pays.")],
    receipt: Annotated[str, typer.Argument(help="The receipt.")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """A receipt does not pay a pay-out: takes a person's match back, or keeps the rules from the pair."""
    from orchestration.cli.commands.decisions import unmatch_command

    unmatch_command(_session(ctx), payout, receipt, reason=reason, by=by)


@app.command()
def accept(
    ctx: typer.Context,
    exception: Annotated[str, typer.Argument(help="The exception's id, or its subject.")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """Close an exception as it is. It opens again when its amount grows."""
    from orchestration.cli.commands.decisions import accept_command

    accept_command(_session(ctx), exception, reason=reason, by=by)


@app.command("write-off")
def write_off(
    ctx: typer.Context,
    exception: Annotated[str, typer.Argument(help="The exception's id, or its subject.")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """Give an exception's amount up. Above the limits (tolerances.csv, WRITE_OFF) a second person approves."""
    from orchestration.cli.commands.decisions import write_off_command

    write_off_command(_session(ctx), exception, reason=reason, by=by)


@app.command()
def reopen(
    ctx: typer.Context,
    exception: Annotated[str, typer.Argument(help="The exception's id.")],
    reason: Reason,
    by: By = None,
    json: Json = False,
) -> None:
    """Take back what was decided about an exception."""
    from orchestration.cli.commands.decisions import reopen_command

    reopen_command(_session(ctx), exception, reason=reason, by=by)


@app.command()
def decisions(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", "-s", help="PROPOSED, EFFECTIVE, REJECTED, WITHDRAWN.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", "-k", help="MATCH, UNMATCH, ACCEPT, WRITE_OFF.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; 0 = all.")] = 50,
    json: Json = False,
) -> None:
    """What people decided about matches and exceptions."""
    from orchestration.cli.commands.decisions import decisions_command

    decisions_command(_session(ctx), state=state, kind=kind, limit=limit)


@app.command()
def close(
    ctx: typer.Context,
    period: Annotated[str, typer.Argument(help="The month: 2026-10.")],
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Whose books; may be left out when there is one.")
    ] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the figures, with --role and --as.")] = False,
    role: Annotated[str, typer.Option("--role", help="preparer or reviewer: two different people.")] = "",
    lock: Annotated[bool, typer.Option("--lock", help="Lock the month; both must have signed.")] = False,
    despite: Annotated[
        str, typer.Option("--despite", help="Why it is locked although blocking checks are open (CLS-001).")
    ] = "",
    reopen: Annotated[bool, typer.Option("--reopen", help="Open a locked month again, with --reason.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the auditor; name no customer.")] = "",
    by: Annotated[str | None, typer.Option("--as", help="Your name; default: the system user.")] = None,
    pack: Annotated[Path | None, typer.Option("--pack", help="Folder to write the evidence pack into.")] = None,
    json: Json = False,
) -> None:
    """The month-end close: checklist, roll-forward, ageing, signatures, lock, evidence pack."""
    from orchestration.cli.commands.close import CloseOptions, close_command

    options = CloseOptions(
        sign=role if sign else None, lock=lock, despite=despite, reopen=reopen, reason=reason, by=by, pack=pack
    )
    close_command(_session(ctx), period, entity, options)


@app.command()
def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help='A query on the published marts; "-" reads it from standard input.')],
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; 0 = all.")] = 200,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table (all rows).")] = False,
    json: Json = False,
) -> None:
    """Query the published marts, read-only. Tables need no schema: select * from exceptions."""
    from orchestration.cli.commands.sql import sql_command

    sql_command(_session(ctx), query, limit=limit, csv=csv)


@app.command()
def upgrade(
    ctx: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Write it; otherwise only say it.")] = False,
    json: Json = False,
) -> None:
    """What the configuration folder lacks of this version: files, columns, rows of Tieout's own lists."""
    from orchestration.cli.commands.upgrade import upgrade_command

    upgrade_command(_session(ctx), write=write)


@app.command()
def doctor(
    ctx: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check configuration and machine only; call no vendor.")
    ] = False,
    json: Json = False,
) -> None:
    """Check configuration, keys, hosts, permissions, data folder and versions before a run."""
    from orchestration.cli.commands.doctor import doctor_command

    doctor_command(_session(ctx), offline=offline)


@app.command()
def init(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder to create.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    ask: Annotated[
        bool,
        typer.Option("--ask", help="Ask for your company, ERP, marketplace and bank; else a copy of the defaults."),
    ] = False,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="The answers as a TOML file instead of questions.")
    ] = None,
    propose: Annotated[
        bool,
        typer.Option(
            "--propose", help="Read the ERP's chart, and write account and tax maps to look at into the folder."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Write a documented configuration: a copy of the defaults, or your own company's; or propose its maps."""
    if propose:
        from orchestration.cli.commands.propose import propose_command

        propose_command(_session(ctx), directory, force=force)
        return
    from orchestration.cli.commands.init import init_command

    init_command(_session(ctx), directory, force=force, ask=ask, answers=answers)


@app.command()
def export(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder to write into; files of it are overwritten.")],
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="parquet, duckdb, csv or xlsx; may be repeated.")
    ] = None,
    marts: Annotated[list[str] | None, typer.Option("--mart", help="Only this mart; may be repeated.")] = None,
    site: Annotated[bool, typer.Option("--site", help="Also lineage.html: dbt's page of every model.")] = False,
    json: Json = False,
) -> None:
    """Copy the marts out for spreadsheets, BI tools and notebooks, with schema, lineage and metrics."""
    from orchestration.cli.commands.export import export_command

    export_command(_session(ctx), directory, formats=formats or ["parquet", "duckdb"], marts=marts or [], site=site)


@app.command()
def metrics(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A metric; without one they are listed.")] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", "-b", help="A dimension of it, or month; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """The figures that people ask for, each defined once (orchestration/exports/metrics.yml)."""
    from orchestration.cli.commands.export import metrics_command

    metrics_command(_session(ctx), name, by=by or [])


@app.command()
def playbook(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder to write into; pages of it are overwritten.")],
    json: Json = False,
) -> None:
    """Write who checks what and when, a page per exception code, and hand-over lists, from your configuration."""
    from orchestration.cli.commands.playbook import playbook_command

    playbook_command(_session(ctx), directory)


@auth_app.command("sage200")
def auth_sage200(
    ctx: typer.Context,
    erp: Annotated[str, typer.Option("--erp", help="Which company: its erp_code in erps.csv.")],
    redirect_uri: Annotated[
        str, typer.Option("--redirect-uri", help="A redirect address that Sage registered for your application.")
    ] = "http://127.0.0.1:8123/callback",
    paste: Annotated[
        bool, typer.Option("--paste", help="Do not wait for the browser: paste the address it was sent to.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page here.")] = True,
    days: Annotated[
        int, typer.Option("--days", min=1, max=3650, help="Life of the consent as Sage registered it.")
    ] = 90,
    authorize_url: Annotated[
        str | None, typer.Option("--authorize-url", help="Consent page; default: beside token_url of erps.csv.")
    ] = None,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait for the browser.")] = 300,
    json: Json = False,
) -> None:
    """Let a person consent at Sage ID; keeps the tokens and lists the sites and companies. Shows no token."""
    from orchestration.cli.commands.auth import SignIn, auth_sage200_command

    options = SignIn(redirect_uri, paste, browser, days, authorize_url, timeout)
    auth_sage200_command(_session(ctx), erp, options)
