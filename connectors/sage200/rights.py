"""What `tieout doctor` finds out about the rights of the person whose consent a Sage 200 company is read with.

Sage tells a user's own permissions for sales orders. Of the rest it shows what may be read; a feature that a posting
needs shows at the posting.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.decoding import Envelope, split_records
from connectors.errors import BadPayload, ConnectorError, PermissionDenied
from connectors.http import Answer, Call
from connectors.records import CheckResult
from connectors.rights import purposes, rights, too_few, too_many, unseen
from connectors.sage200.decode import VENDOR
from connectors.sage200.endpoints import CIVIL

if TYPE_CHECKING:
    from connectors.sage200.client import Sage200Connector

PERMISSIONS = "current_user_sop_user_permissions"
WHERE = "System Administration > Roles and Users (Professional) or Settings > User Access (Standard)"


def check_rights(sage: Sage200Connector, feeds: Collection[str], kinds: Collection[str]) -> list[CheckResult]:
    """`feeds` are those that are read, `kinds` the kinds of write that are switched on."""
    account, rows = sage.account, rights("sage200")
    missing: list[str] = []
    extra: list[str] = []
    unknown: list[str] = []
    try:
        own = _permissions(sage)
    except ConnectorError as error:
        own = {}
        unknown.append(f"permissions for sales orders ({error})")
    for row in rows:
        wanted = row.serves(feeds, kinds)
        if row.shown_by == PERMISSIONS:
            has = own.get(row.right)
        elif row.shown_by:
            has = _may_read(sage, row.shown_by)
        else:
            continue
        if wanted and has is False:
            missing.append(f"{row.right} ({purposes(wanted)})")
        elif has and not wanted:
            extra.append(f"{row.right} ({row.note})" if row.note else row.right)
    posting = [row for row in rows if row.right.startswith("post") and row.is_required and row.serves((), kinds)]
    needed = "; ".join(f"{row.right.removeprefix('post ')} ({row.note})" for row in posting) or "no feature at all"
    told = "".join(f"{one}; " for one in unknown)
    return [
        too_few(account, missing, f"give the API user this in {WHERE}"),
        too_many(account, extra, f"take it from the API user in {WHERE}"),
        unseen(account, f"{told}what the user may post: Sage says at the posting. Compare {WHERE}. Needed: {needed}"),
    ]


def _permissions(sage: Sage200Connector) -> dict[str, Any]:
    def parse(answer: Answer) -> dict[str, Any]:
        whole, _ = split_records(answer.body, Envelope(), vendor=VENDOR, call=PERMISSIONS)
        try:
            rows = msgspec.json.decode(whole, type=list[dict[str, Any]])
        except (msgspec.DecodeError, UnicodeError) as error:
            raise BadPayload("the answer is no list", vendor=VENDOR, call=PERMISSIONS) from error
        return rows[0] if rows else {}

    return sage.client.read(Call(PERMISSIONS, CIVIL), f"/{PERMISSIONS}", {}, parse)


def _may_read(sage: Sage200Connector, resource: str) -> bool | None:
    """Whether rows would be shown; None when the site does not have the resource, or did not answer."""
    try:
        return sage.client.read(Call(resource, CIVIL), f"/{resource}", {"$top": "1"}, lambda _: True)
    except PermissionDenied:
        return False
    except ConnectorError:
        return None
