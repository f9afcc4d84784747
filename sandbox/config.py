"""Writes what a pipeline needs to talk to a sandbox: the configuration folder, the environment file, the bank's files.

The configuration is the project's own default with other hosts, another statement path and automatic approval, and with
the marketplaces switched on that are served; nothing else is changed, so a pipeline that runs on it runs on a person's
own configuration too.
"""

import csv
import io
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sandbox import jsonio
from sandbox.clock import stamp
from sandbox.credentials import mirakl_secret, operator_client, sage_client
from sandbox.mirakl.operator_sign_in import SIGN_IN_PATH

REPOSITORY = Path(__file__).resolve().parents[1]
SEEDS = REPOSITORY / "dbt_project" / "seeds"


class StatementFileLike(Protocol):
    name: str
    content: bytes


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
    """The marketplaces that a sandbox serves, by whom they are read: one of their sellers, or their operator."""

    sellers: Sequence[str]
    operators: Sequence[str] = ()


def write_config(places: Places, url: str, marketplaces: Marketplaces, seeds: Path = SEEDS) -> None:
    """Copies the seeds' CSV files; hosts become `url`, statements the bank's folder, and approval is automatic.

    The marketplaces that are served are switched on, the others off. Raises FileNotFoundError when the seeds are not
    beside this package (an installation without the repository).
    """
    files = sorted(seeds.glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"no configuration to copy: {seeds} holds no CSV files")
    places.config.mkdir(parents=True, exist_ok=True)
    served = {*marketplaces.sellers, *marketplaces.operators}

    def marketplace(row: Row) -> dict[str, str]:
        code = row["marketplace_code"]
        changes = {"base_url": f"{url}/mirakl/{code}", "is_enabled": str(code in served).lower()}
        return changes | ({"token_url": f"{url}{SIGN_IN_PATH}"} if row["auth_method"] == "OAUTH2" else {})

    edits: dict[str, Callable[[Row], dict[str, str]]] = {
        "marketplaces": marketplace,
        "erps": lambda row: {"base_url": f"{url}/sage200/accounts/v1", "token_url": f"{url}/oauth/token"},
        "bank_accounts": lambda row: {"statement_path": f"{places.bank}/*"},
        # Out of the box a person approves journals; here nobody is there to ask, and nothing real can happen.
        "approval_policies": lambda row: {"mode": "AUTO", "maximum_amount": ""},
    }
    for file in files:
        content = file.read_text("utf-8")
        if file.stem in edits:
            content = _edited(content, edits[file.stem])
        (places.config / file.name).write_text(content, "utf-8")


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


def environment(
    places: Places, *, seed: int, as_of: datetime, marketplaces: Marketplaces, refresh_token: str
) -> dict[str, str]:
    """The variables of a pipeline that works on this sandbox. Write-back is on: here it can do no harm."""
    client = sage_client(seed)
    clients = {code: operator_client(seed, code) for code in marketplaces.operators}
    return {
        "TIEOUT_CONFIG_DIR": str(places.config),
        "TIEOUT_DATA_DIR": str(places.data),
        "TIEOUT_AS_OF": stamp(as_of),
        "TIEOUT_WRITE_BACK": "on",
        **{f"MIRAKL_{code}_API_KEY": mirakl_secret(seed, code) for code in marketplaces.sellers},
        **{f"MIRAKL_{code}_CLIENT_ID": client_id for code, (client_id, _) in clients.items()},
        **{f"MIRAKL_{code}_CLIENT_SECRET": secret for code, (_, secret) in clients.items()},
        "SAGE200_SAGE_UK_CLIENT_ID": client.client_id,
        "SAGE200_SAGE_UK_CLIENT_SECRET": client.client_secret,
        "SAGE200_SAGE_UK_REFRESH_TOKEN": refresh_token,
    }


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
    """The bank's statement files, as its server would drop them."""
    for file in files:
        target = places.bank / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)


def write_truth(places: Places, truth: object) -> None:
    places.truth.write_bytes(jsonio.encode_stable(truth) + b"\n")
