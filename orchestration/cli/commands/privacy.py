"""`tieout privacy …`: customers in the evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session, system_user
from orchestration.lib import customers, erasing
from orchestration.lib.erasing import NoSuchPerson
from orchestration.lib.persons import PersonsUnavailable

MOST_AT_A_TIME = 10_000


def status_command(session: Session) -> None:
    """Counts; nobody's name."""
    _require_evidence(session)
    found = erasing.holding(session.settings)
    if session.as_json:
        print_json(asdict(found))
        return
    out = console()
    out.print(f"{found.orders:,} orders have a customer under a key, {found.erased:,} were erased.")
    out.print(f"{found.cut_pages:,} pages are kept without their customers, who are encrypted behind them.")
    if found.whole_pages:
        out.print(f"{found.whole_pages:,} pages of the same feeds are kept whole: they came before there were keys.")
    out.print(f"{found.other_pages:,} pages of other feeds in retention.csv are kept as they came (docs/privacy.md).")


def show_command(session: Session, order: str, *, reason: str, by: str | None) -> None:
    """The members that were cut out, and an entry in the audit trail that somebody looked."""
    _require_evidence(session)
    _require(reason)
    # First of all: nobody sees a customer without that being known.
    session.outbox.notes.look_up(order, reason, by=by or system_user())
    try:
        found = erasing.shown(session.settings, order)
    except (NoSuchPerson, PersonsUnavailable) as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json({"order_id": order, "evidence": found})
        return
    out = console()
    for part in found:
        out.print(part["file"], style="dim", markup=False, soft_wrap=True)
        for member in part["members"]:
            out.print(json.dumps(member, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)


def find_command(session: Session, text: str, *, by: str | None) -> None:
    """The orders, and an entry in the audit trail for each that somebody found it."""
    _require_evidence(session)
    if (clue := customers.clue_of(text)) is None:
        raise CliError(
            "that is neither a postcode nor a mail address",
            action="Whole ones are found only, what is kept is a hash; `tieout explain ID` takes any id.",
            code=ExitCode.USAGE,
        )
    found = customers.orders_with(session.settings, clue)
    kind = "mail address" if clue[0] is customers.Clue.MAIL else "postcode"
    if found:
        session.outbox.notes.looked_for(found, f"searched by {kind}", by=by or system_user())
    if session.as_json:
        print_json({"orders": found})
        return
    out = console()
    for order in found:
        out.print(order, markup=False, highlight=False)
    out.print(f"{len(found):,} orders have this {kind}." + (" `tieout explain ORDER` tells of one." if found else ""))


def erase_command(session: Session, orders: Sequence[str], *, reason: str, by: str | None) -> None:
    """Delete keys and say of whom there was one."""
    _require_evidence(session)
    _require(reason)
    _erase(session, orders, reason=reason, by=by)


def retention_command(session: Session, *, carry_out: bool, by: str | None) -> None:
    """Count, or erase, what is older than retention.csv allows."""
    _require_evidence(session)
    found = erasing.overdue(session.settings)
    if carry_out:
        for first in range(0, len(found.orders), MOST_AT_A_TIME):
            part = found.orders[first : first + MOST_AT_A_TIME]
            _erase(session, part, reason=f"retention: last landed before {found.limit[:10]}", by=by)
    elif session.as_json:
        print_json({"limit": found.limit or None, "orders": len(found.orders), "erased": 0})
    else:
        out = console()
        out.print(f"{len(found.orders):,} orders with a customer last came before {found.limit[:10] or 'any limit'}.")
        if found.orders:
            out.print("`tieout privacy retention --erase` erases their customers for good.", style="dim")


def reapply_command(session: Session) -> None:
    """Bring chain and keys together."""
    _require_evidence(session)
    try:
        returned, sealed = erasing.reapply(session.settings)
    except PersonsUnavailable as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json({"erased_again": len(returned), "sealed": sealed})
    else:
        console().print(f"{len(returned):,} customers erased again, {sealed:,} erasures noted in the chain.")


def _erase(session: Session, orders: Sequence[str], *, reason: str, by: str | None) -> None:
    try:
        had = erasing.erase(session.settings, orders, by=by or system_user(), reason=reason)
    except PersonsUnavailable as error:
        raise CliError(str(error)) from error
    if session.as_json:
        print_json({"asked": len(orders), "erased": len(had)})
        return
    out = console()
    out.print(f"{len(had):,} of {len(orders):,} orders had a customer, who is erased now.")
    if len(had) < len(orders):
        out.print("Of the others nothing is under a key; should they come again, it is without their customer.")
    out.print("Ask the vendors to erase, too, and delete copies of the key store (docs/privacy.md).", style="dim")


def _require_evidence(session: Session) -> None:
    if not session.settings.state_path.is_file():
        raise CliError("nothing was landed yet, so there is nobody", action="`tieout run settlement` lands the first.")


def _require(reason: str) -> None:
    if not reason.strip():
        raise CliError("the reason is empty", action="Say why; name no customer.", code=ExitCode.USAGE)
