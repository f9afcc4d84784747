"""What `tieout doctor` finds out about the permissions of the integration's role in NetSuite.

An access token of OAuth 2.0 names its role, and SuiteQL has a table `rolepermissions` (both in Oracle's help). A role
as small as it should be cannot read that table: then a few tables that only other permissions show are tried, and an
administrator can run the same statement.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import msgspec

from connectors.errors import ConnectorError, PermissionDenied, RequestRejected
from connectors.netsuite.auth import CertificateToken
from connectors.records import CheckResult
from connectors.rights import LEVELS, Right, purposes, rights, too_few, too_many, unseen

if TYPE_CHECKING:
    from connectors.netsuite.client import NetSuiteConnector

STATEMENT = "SELECT permkey, name, permlevel FROM rolepermissions WHERE role = ? ORDER BY permkey"
WHERE = "Setup > Users/Roles > Manage Roles"


class _Claims(msgspec.Struct):
    sub: str = ""


def check_rights(netsuite: NetSuiteConnector, feeds: Collection[str], kinds: Collection[str]) -> list[CheckResult]:
    """`feeds` are those that are read, `kinds` the kinds of write that are switched on."""
    account, rows = netsuite.account, rights("netsuite")
    role = role_of(netsuite.token)
    held = _held(netsuite, role) if role is not None else None
    if held:
        return _compared(account, rows, held, feeds, kinds)
    extra = [f"{row.right} ({row.note})" for row in rows if row.shown_by and _shows(netsuite, row.shown_by)]
    asked = f"role {role}" if role is not None else "the integration's role (a token of TBA does not name it)"
    wanted = _wanted(rows, feeds, kinds)
    needed = ", ".join(f"{key} {LEVELS[level].title()}" for key, level in sorted(wanted.items()))
    perhaps = {row.right for row in rows if not row.is_required and row.serves(feeds, kinds)} - set(wanted)
    return [
        too_many(account, extra, f"take them from the role in {WHERE}"),
        unseen(
            account,
            f"the permissions of {asked}: it may not read them, which is as it should be. Compare {WHERE}, or let an "
            f"administrator run: {STATEMENT.replace('?', role or '<its id>')}. Needed: {needed}; "
            f"as the account asks for them: {', '.join(sorted(perhaps))}; no other",
        ),
    ]


def role_of(token: CertificateToken | None) -> str | None:
    """The id of the role that the access token is for (`sub` is role and entity), None where it does not say. It is
    shown and asked with, never trusted: the signature is NetSuite's to check.
    """
    parts = token.access_token().split(".") if token is not None else []
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        role = msgspec.json.decode(payload, type=_Claims).sub.partition(";")[0]
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return role if role.isascii() and role.isdigit() else None


def _wanted(rows: Collection[Right], feeds: Collection[str], kinds: Collection[str]) -> dict[str, int]:
    """Permission → the highest level that something needs."""
    wanted: dict[str, int] = {}
    for row in rows:
        if row.is_required and row.serves(feeds, kinds):
            wanted[row.right] = max(wanted.get(row.right, 0), LEVELS.index(row.level))
    return wanted


def _held(netsuite: NetSuiteConnector, role: str) -> dict[str, tuple[str, int]] | None:
    """Permission → its name and level, as the role has them. None when it may not read them."""
    try:
        rows = netsuite.select(STATEMENT, [role], what="rolepermissions")
        return {row["permkey"]: (row.get("name", ""), int(row["permlevel"])) for row in rows if row["permlevel"] != "0"}
    except (PermissionDenied, RequestRejected, KeyError, ValueError):
        return None


def _compared(
    account: str,
    rows: Collection[Right],
    held: Mapping[str, tuple[str, int]],
    feeds: Collection[str],
    kinds: Collection[str],
) -> list[CheckResult]:
    wanted = _wanted(rows, feeds, kinds)
    allowed: dict[str, int] = dict(wanted)
    for row in rows:
        if not row.is_required and row.serves(feeds, kinds):
            allowed[row.right] = max(allowed.get(row.right, 0), LEVELS.index(row.level))
    missing = [
        f"{key} {LEVELS[level].title()} ({purposes(_purposes(rows, key, level, feeds, kinds))})"
        for key, level in wanted.items()
        if held.get(key, ("", 0))[1] < level
    ]
    extra = []
    for key, (name, level) in held.items():
        most = allowed.get(key, 0)
        if level > most:
            shown = f"{key} {_title(level)}" + (f" ({name})" if name else "")
            extra.append(f"{shown}: {LEVELS[most].title()} is enough" if most else shown)
    return [
        too_few(account, missing, f"give the role these in {WHERE}"),
        too_many(account, extra, f"take them from the role, or lower the level, in {WHERE}"),
    ]


def _purposes(
    rows: Collection[Right], key: str, level: int, feeds: Collection[str], kinds: Collection[str]
) -> set[str]:
    return {
        name
        for row in rows
        if row.right == key and LEVELS.index(row.level) == level
        for name in row.serves(feeds, kinds)
    }


def _title(level: int) -> str:
    return LEVELS[level].title() if 0 <= level < len(LEVELS) else f"level {level}"


def _shows(netsuite: NetSuiteConnector, table: str) -> bool:
    try:
        netsuite.select(f"SELECT COUNT(*) AS parts FROM {table}", what=table)  # noqa: S608 (from rights.csv)
    except ConnectorError:
        return False
    return True
