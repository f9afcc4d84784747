"""Writes what a pipeline needs to talk to a sandbox: the configuration folder, the environment file, the bank's files.

The configuration is the project's own default with other hosts, another statement path, automatic approval and a
smaller limit for the sum of roundings, and with the marketplaces switched on that are served; nothing else is changed,
so a pipeline that runs on it runs on a person's own configuration too.
"""

import csv
import io
import os
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.credentials import mirakl_secret, netsuite_client, netsuite_key_text, operator_client, sage_client
from sandbox.mirakl.operator_sign_in import SIGN_IN_PATH

REPOSITORY = Path(__file__).resolve().parents[1]
SEEDS = REPOSITORY / "dbt_project" / "seeds"


class StatementFileLike(Protocol):
    name: str
    content: bytes
    account: str


@dataclass(frozen=True)
class Places:
    """Where a sandbox keeps things under its folder."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def bank(self) -> Path:
        return self.root / "bank"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def env(self) -> Path:
        return self.root / "env"

    @property
    def truth(self) -> Path:
        return self.root / "truth.json"

    @property
    def address(self) -> Path:
        """Written when the servers answer; holds url and pid."""
        return self.root / "sandbox.json"


Row = Mapping[str, str]


@dataclass(frozen=True)
class Marketplaces:
    """What a sandbox serves: the marketplaces by whom they are read (one of their sellers, or their operator), and the
    ERPs: `netsuite` maps ERP codes to NetSuite's account ids.
    """

    sellers: Sequence[str]
    operators: Sequence[str] = ()
    netsuite: Mapping[str, str] = field(default_factory=dict)
    has_sage: bool = True
    number: int = 0
    """The world's, which stands behind all codes."""
    company_id: str = ""
    """The Sage 200 company; empty leaves the seeds'."""

    def coded(self, code: str) -> str:
        return f"{code}{self.number or ''}"


STANDS_IN = {"NS_UK": "SAGE_UK"}
"""NetSuite accounts that keep the books which the configuration has in Sage 200."""
CODES = ("marketplace_code", "entity_code", "erp_code", "bank_account_code")
"""Columns of the configuration behind whose values a world's number stands."""
ACCOUNT_NUMBERS = {"clearing_bank_code": "1260", "erp_bank_code": "1200"}
"""NetSuite has no cash-book codes: a bank account goes by its number in the chart."""
SUBSIDIARY_ID = "2"
LIVE_DAYS = ("go_live_date", "journals_live_from")


def netsuite_path(erp_code: str) -> str:
    """Where an account answers below the sandbox's address."""
    return f"/netsuite/{erp_code}"


def write_config(
    places: Places,
    url: str,
    marketplaces: Marketplaces,
    seeds: Path = SEEDS,
    *,
    go_live: date | None = None,
    settings: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Copies the seeds' CSV files; hosts become `url`, statements the bank's folder, and approval is automatic.

    Marketplaces go live on `go_live`, the first day of trade, with their opening balances; None leaves the seeds' day.
    `settings` are the world's own changes (`settings` of its truth): `values` for the rows of `file` that have
    `where`, or one more row.

    What is served is switched on, with the bank accounts of the marketplaces; the rest is off. Raises
    FileNotFoundError when the seeds are not beside this package (an installation without the repository).
    """
    files = sorted(seeds.glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"no configuration to copy: {seeds} holds no CSV files")
    places.config.mkdir(parents=True, exist_ok=True)
    served = {*marketplaces.sellers, *marketplaces.operators}
    contents = {file: _numbered(file.read_text("utf-8"), marketplaces) for file in files}
    entities, banks = _bank_holders(contents[seeds / "marketplaces.csv"], served)
    coded = marketplaces.coded
    moved = {coded(old): coded(new) for new, old in STANDS_IN.items() if coded(new) in marketplaces.netsuite}

    def new_code(row: Row) -> dict[str, str]:
        return {"erp_code": moved[row["erp_code"]]} if row["erp_code"] in moved else {}

    def marketplace(row: Row) -> dict[str, str]:
        code = row["marketplace_code"]
        changes = {"base_url": f"{url}/mirakl/{code}", "is_enabled": str(code in served).lower()}
        if row["perspective"] == "OPERATOR" and row["erp_code"] not in marketplaces.netsuite:
            # The world's operator has no books of its own.
            changes |= {"erp_code": "", "journals_live_from": ""}
        if go_live:
            changes |= {
                name: go_live.isoformat() for name in ("go_live_date", "journals_live_from") if (row | changes)[name]
            }
        if row["erp_code"] in moved:
            changes |= new_code(row) | {"clearing_bank_code": ACCOUNT_NUMBERS["clearing_bank_code"]}
        return changes | ({"token_url": f"{url}{SIGN_IN_PATH}"} if row["auth_method"] == "OAUTH2" else {})

    def erp(row: Row) -> dict[str, str]:
        code = moved.get(row["erp_code"], row["erp_code"])
        if code in marketplaces.netsuite:
            place = {"base_url": f"{url}{netsuite_path(code)}", "account_id": marketplaces.netsuite[code]}
            row = {"vendor": "netsuite", "auth_method": "CERTIFICATE", "subsidiary_id": SUBSIDIARY_ID}
            return {"erp_code": code, "is_enabled": "true", **_NOT_SAGE, **row, **place}
        if row["vendor"] == "netsuite":
            # In no world of several may a company that is not served bear another world's id.
            return {"is_enabled": "false", "account_id": coded(row["account_id"])}
        place = {"base_url": f"{url}/sage200/accounts/v1", "token_url": f"{url}/oauth/token"}
        if marketplaces.company_id:
            place["company_id"] = marketplaces.company_id
        return {"is_enabled": str(marketplaces.has_sage).lower(), **place}

    def bank_account(row: Row) -> dict[str, str]:
        code = row["bank_account_code"]
        changes = {
            "statement_path": f"{places.bank}/{code}/*",
            "is_enabled": str(row["entity_code"] in entities).lower(),
        }
        if banks.get(code) in moved:
            changes["erp_bank_code"] = ACCOUNT_NUMBERS["erp_bank_code"]
        return changes

    def opening_balance(row: Row) -> dict[str, str]:
        return {"as_of_date": (go_live - timedelta(days=1)).isoformat()} if go_live else {}

    def tolerance(row: Row) -> dict[str, str]:
        # A generated month is small, so is the sum of its roundings: five pounds would never be reached.
        return {"amount": "0.10"} if row["test_code"] == "ROUNDING_DRIFT" else {}

    edits: dict[str, Callable[[Row], dict[str, str]]] = {
        "tolerances": tolerance,
        "marketplaces": marketplace,
        "opening_balances": opening_balance,
        "erps": erp,
        "bank_accounts": bank_account,
        "warehouses": new_code,
        "carriers": new_code,
        "item_map": new_code,
        # Out of the box a person approves journals; here nobody is there to ask, and nothing real can happen.
        "approval_policies": lambda row: {"mode": "AUTO", "maximum_amount": ""},
    }
    for file, content in contents.items():
        if file.stem in edits:
            content = _edited(content, edits[file.stem])
        for setting in settings:
            if setting["file"] == file.stem:
                content = _with_setting(content, setting["where"], setting["values"])
        (places.config / file.name).write_text(content, "utf-8")


_NOT_SAGE = {"token_url": "", "site_id": "", "company_id": "", "vat_analysis_slot": ""}


def _numbered(content: str, marketplaces: Marketplaces) -> str:
    """A file of the configuration in the codes of a numbered world; `*`, which means any, stays."""
    if not marketplaces.number:
        return content
    names = [name for name in (*CODES, "key_name") if name in content.splitlines()[0].split(",")]
    return _edited(content, lambda row: {x: marketplaces.coded(row[x]) for x in names if row[x] not in ("", "*")})


def _bank_holders(content: str, served: Collection[str]) -> tuple[set[str], dict[str, str]]:
    """The entities that the served marketplaces pay, and the accounts they pay to with the ERP of their books."""
    rows = csv.DictReader(io.StringIO(content))
    paying = [row for row in rows if row["marketplace_code"] in served and row["bank_account_code"]]
    return {row["entity_code"] for row in paying}, {row["bank_account_code"]: row["erp_code"] for row in paying}


def _edited(content: str, edit: Callable[[Row], dict[str, str]]) -> str:
    reader = csv.DictReader(io.StringIO(content))
    target = io.StringIO()
    writer = csv.DictWriter(target, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    for row in reader:
        changes = edit(row)
        missing = sorted(set(changes) - set(row))
        if missing:
            raise ValueError(f"the configuration has no column {', '.join(missing)}")
        writer.writerow(row | changes)
    return target.getvalue()


def _with_setting(content: str, where: Row, values: dict[str, str]) -> str:
    """The file with one change of the world. Raises ValueError when no row has `where`."""
    if not where:
        names = next(csv.reader([content.splitlines()[0]]))
        line = io.StringIO()
        csv.DictWriter(line, names, lineterminator="\n").writerow(dict.fromkeys(names, "") | values)
        return content + line.getvalue()
    changed = _edited(content, lambda row: values if where.items() <= row.items() else {})
    if changed == content:
        raise ValueError(f"no row of the configuration has {where}, or all have {values} already")
    return changed


def environment(
    places: Places, *, seed: int, as_of: datetime, marketplaces: Marketplaces, refresh_token: str
) -> dict[str, str]:
    """The variables of a pipeline that works on this sandbox. Write-back is on: here it can do no harm."""
    client = sage_client(seed)
    clients = {code: operator_client(seed, code) for code in marketplaces.operators}
    company = f"SAGE200_{marketplaces.coded('SAGE_UK')}"
    sage = {
        f"{company}_CLIENT_ID": client.client_id,
        f"{company}_CLIENT_SECRET": client.client_secret,
        f"{company}_REFRESH_TOKEN": refresh_token,
    }
    variables = {
        "TIEOUT_CONFIG_DIR": str(places.config),
        "TIEOUT_DATA_DIR": str(places.data),
        "TIEOUT_AS_OF": stamp(as_of),
        "TIEOUT_WRITE_BACK": "on",
        **{f"MIRAKL_{code}_API_KEY": mirakl_secret(seed, code) for code in marketplaces.sellers},
        **{f"MIRAKL_{code}_CLIENT_ID": client_id for code, (client_id, _) in clients.items()},
        **{f"MIRAKL_{code}_CLIENT_SECRET": secret for code, (_, secret) in clients.items()},
        **(sage if marketplaces.has_sage else {}),
    }
    for code, account_id in marketplaces.netsuite.items():
        integration = netsuite_client(seed, code, account_id)
        variables |= {
            f"NETSUITE_{code}_CLIENT_ID": integration.client_id,
            f"NETSUITE_{code}_CERTIFICATE_ID": integration.certificate_id,
            # One line, as readers of such files want it.
            f"NETSUITE_{code}_PRIVATE_KEY": netsuite_key_text(seed, code).replace("\n", "\\n"),
        }
    return variables


def write_environment(path: Path, variables: dict[str, str]) -> None:
    """KEY=value lines that both a shell and a dotenv reader understand, readable by the owner only."""
    content = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)


def read_environment(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines() if line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def write_bank(places: Places, files: Iterable[StatementFileLike]) -> None:
    """The bank's statement files, as its server would drop them: a folder per account."""
    for file in files:
        target = places.bank / file.account / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)


def write_truth(places: Places, truth: object) -> None:
    places.truth.write_bytes(jsonio.encode_stable(truth) + b"\n")
