"""What `tieout doctor` finds out about the rights of a marketplace's key.

Mirakl has no call that tells a key's rights. Some show all the same: a call that one right alone opens answers, or it
is refused. What a key may write does not: only a write would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.decoding import format_stamp
from connectors.errors import ConnectorError, PermissionDenied
from connectors.http import Call
from connectors.records import CheckResult
from connectors.rights import Right, purposes, rights, too_few, too_many, unseen

if TYPE_CHECKING:
    from connectors.mirakl.client import MiraklConnector

ADMINISTRATOR = "ROLE_SHOP_ADMIN"
WHERE = "the back office of the marketplace, My user settings > API key and the roles of its user"
SHOWN_BY: Mapping[str, tuple[str, Callable[[datetime], dict[str, str]]]] = {
    "PC01": ("/api/platform/configuration", lambda now: {}),
    "PRI02": ("/api/offers/pricing/imports", lambda now: {"limit": "1"}),
    "RO02": ("/api/users/shops/roles", lambda now: {}),
    "S30": ("/api/shops/documents", lambda now: {}),
    "P51": ("/api/products/imports", lambda now: {"last_request_date": format_stamp(now), "max": "1"}),
}
"""Path and parameters of the calls that show a right. Whether they answer is all that is looked at."""


def check_rights(mirakl: MiraklConnector, feeds: Collection[str], kinds: Collection[str]) -> list[CheckResult]:
    """`feeds` are those that are read, `kinds` the kinds of write that are switched on."""
    account = mirakl.account
    if mirakl.perspective == "OPERATOR":
        return [
            unseen(
                account,
                "what the operator's client may do: Mirakl publishes no rights of operators and no call that tells "
                "them. Tieout reads and writes nothing: look at the client's rights in the back office",
            )
        ]
    rows = rights("mirakl", "SELLER")
    seen = {row.right: _is_open(mirakl, row) for row in rows if row.shown_by}
    missing = [
        f"{row.right} ({purposes(wanted)})"
        for row in rows
        if seen.get(row.right) is False and (wanted := row.serves((), kinds)) and row.is_required
    ]
    answers = [too_few(account, missing, f"have them added in {WHERE}")]
    partner = sorted({row.right for row in rows if row.right != ADMINISTRATOR and _is_wanted(row, feeds, kinds)})
    administrator = next(row for row in rows if row.right == ADMINISTRATOR)
    if seen[ADMINISTRATOR]:
        return [*answers, _of_administrator(account, administrator, feeds, kinds, partner)]
    extra = [f"{row.right} ({row.note})" for row in rows if seen.get(row.right) and not row.serves(feeds, kinds)]
    answers.append(too_many(account, extra, f"have them taken away in {WHERE}"))
    writing = [row for row in rows if row.serves((), kinds) and not row.serves(feeds, ()) and row.right not in seen]
    needed = "; ".join(f"{row.right} ({purposes(row.serves((), kinds))})" for row in writing) or "none"
    answers.append(unseen(account, f"what the key may write: compare {WHERE}. Needed: {needed}; no other"))
    return answers


def _of_administrator(
    account: str, row: Right, feeds: Collection[str], kinds: Collection[str], partner: Collection[str]
) -> CheckResult:
    """An administrator's key opens everything, so that no single right beside it shows."""
    wanted = row.serves(feeds, kinds)
    if wanted:
        detail = f"the key is an administrator's, as PC01 asks for ({purposes(wanted)}): it may do anything in the shop"
        return CheckResult(f"{account}: rights that are not needed", True, detail)
    action = f"give the key's user these alone: {', '.join(partner)}"
    return too_many(account, [f"{row.right} ({row.note})"], action)


def _is_wanted(row: Right, feeds: Collection[str], kinds: Collection[str]) -> bool:
    return row.is_required and bool(row.serves(feeds, kinds))


def _is_open(mirakl: MiraklConnector, row: Right) -> bool | None:
    """Whether the call answers; None when it told neither (it is not there, or not now)."""
    path, parameters = SHOWN_BY[row.shown_by]
    asked = {**mirakl.shop_parameters(), **parameters(mirakl.client.clock())}
    try:
        return mirakl.client.read(Call(row.shown_by), path, asked, lambda _: True, is_first_page=False)
    except PermissionDenied:
        return False
    except ConnectorError:
        return None
