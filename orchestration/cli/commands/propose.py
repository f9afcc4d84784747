"""`tieout init DIR --propose`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session
from orchestration.first_day.proposals import ROLES, TAXES, Proposal, propose_accounts, propose_taxes
from orchestration.lib.configuration import Account, Erp, TaxCode
from orchestration.lib.registry import Registry, load_registry

SHOWN = (
    Col("role", "Role", "code"),
    Col("code", "Code", "code"),
    Col("name", "Name in the ERP", max_width=40),
    Col("sure", "", "state"),
    Col("configured", "Configured", "code"),
    Col("why", "Why", max_width=70),
)
PER_MARKETPLACE = ("MARKETPLACE_CLEARING", "AR_MARKETPLACE", "MARKETPLACE_RESERVE")
EARLIEST = "2020-01-01"


def propose_command(session: Session, directory: Path, *, force: bool) -> None:
    """Read the chart of every enabled ERP company, and write accounts.csv and tax_codes.csv with what fits, to compare
    with the configuration and to copy rows from. Changes no configuration.
    """
    from connectors.charts import chart_of
    from connectors.errors import ConnectorError
    from orchestration.lib.connections import Connections

    registry = load_registry(session.settings.config_dir)
    if directory.resolve() == session.settings.config_dir.resolve():
        raise CliError(
            f"{directory} is the configuration itself",
            action="Name another folder: proposals are looked at before they count.",
            code=ExitCode.USAGE,
        )
    targets = (directory / Account.FILE, directory / TaxCode.FILE)
    if not force and (there := [path.name for path in targets if path.exists()]):
        raise CliError(f"{directory} already holds {', '.join(there)}", action="Say --force to overwrite.")
    connections = Connections(registry, session.settings)
    accounts, taxes, shown = [], [], []
    for erp in (row for row in registry.erps if row.is_enabled):
        try:
            chart, codes = chart_of(erp.vendor, connections.connector(erp.vendor, erp.erp_code))
        except KeyError:
            raise CliError(
                f"the chart of {erp.vendor} cannot be read here", action="Fill in accounts.csv by hand."
            ) from None
        except ConnectorError as error:
            raise CliError(str(error), action="`tieout doctor` says what to do.", code=ExitCode.PARTIAL) from error
        found, found_taxes = propose_accounts(ROLES, chart), propose_taxes(TAXES, codes)
        accounts += _account_rows(registry, erp, found)
        taxes += _tax_rows(erp, found_taxes, {code.code: code.rate_percent for code in codes})
        shown += _compared(registry, erp, found, found_taxes)
    directory.mkdir(parents=True, exist_ok=True)
    for path, fields, rows in zip(
        targets, (Account.model_fields, TaxCode.model_fields), (accounts, taxes), strict=True
    ):
        path.write_text(_csv([name for name in fields if name != "line"], rows), encoding="utf-8")
    if session.as_json:
        print_json({"directory": str(directory), "proposals": shown})
        return
    out = console()
    out.print(table(shown, SHOWN))
    missing = sum(row["code"] is None for row in shown)
    out.print(
        f"Written to {directory}: {len(accounts)} accounts, {len(taxes)} tax codes; {missing} roles have no candidate. "
        "Compare, then copy rows into the configuration; a second person agrees.",
        markup=False,
    )


def _compared(
    registry: Registry, erp: Erp, found: Sequence[Proposal], taxes: Sequence[Proposal]
) -> list[dict[str, str | None]]:
    """What is proposed beside what the configuration has."""
    configured: dict[str, str] = {}
    for account in registry.accounts:
        if account.entity_code == erp.entity_code:
            configured.setdefault(account.account_role, account.account_code)
    configured |= {row.tax_role: row.erp_tax_code for row in registry.tax_codes if row.entity_code == erp.entity_code}
    return [
        {
            "erp_code": erp.erp_code,
            **{name: value for name, value in asdict(one).items() if name in ("role", "code", "name", "why")},
            "sure": "ok" if one.is_sure else "warn" if one.code else "fail",
            "configured": configured.get(one.role),
        }
        for one in (*found, *taxes)
    ]


def _account_rows(registry: Registry, erp: Erp, found: Sequence[Proposal]) -> list[dict[str, str]]:
    shops = [row for row in registry.marketplaces if row.entity_code == erp.entity_code and row.is_enabled]
    currency = _currency(registry, erp)
    rows = []
    for one in found:
        if one.code is None:
            continue
        own = [shop.marketplace_code for shop in shops] if one.role in PER_MARKETPLACE else ["*"]
        rows += [
            {
                "entity_code": erp.entity_code,
                "marketplace_code": code,
                "currency_code": currency,
                "account_role": one.role,
                "effective_from": EARLIEST,
                "account_code": one.code,
                "cost_centre": one.cost_centre,
                "department": one.department,
            }
            for code in own
        ]
    return rows


def _currency(registry: Registry, erp: Erp) -> str:
    """The currency of the company's books."""
    return next(row.functional_currency for row in registry.entities if row.entity_code == erp.entity_code)


def _tax_rows(erp: Erp, found: Sequence[Proposal], rates: dict[str, str]) -> list[dict[str, str]]:
    return [
        {
            "entity_code": erp.entity_code,
            "tax_role": one.role,
            "erp_tax_code": one.code,
            "rate_percent": rates[one.code],
            "effective_from": EARLIEST,
        }
        for one in found
        if one.code is not None
    ]


def _csv(names: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
