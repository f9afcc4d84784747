"""The pages, one module each, and the addresses they answer at."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import FormData
from starlette.responses import Response

from app.asking import Ask, Done, Page
from app.pages import (
    approvals,
    audit,
    close,
    evidence,
    exceptions,
    explain,
    feeds,
    journals,
    mappings,
    match,
    orders,
    payouts,
    profitability,
    runbook,
    stock,
    today,
)
from app.people import Right

SCREENS: dict[str, Callable[[Ask], Page | Response]] = {
    "/": today.today,
    "/exceptions": exceptions.listing,
    "/exceptions/{exception}": exceptions.one,
    "/explain": explain.explain,
    "/journals": journals.show,
    "/evidence": evidence.show,
    "/payouts": payouts.listing,
    "/payouts/{marketplace}/{cycle:path}": payouts.one,
    "/match": match.listing,
    "/match/{cycle:path}": match.one,
    "/orders": orders.listing,
    "/orders/{marketplace}/{order:path}": orders.one,
    "/approvals": approvals.listing,
    "/actions/{action:path}": approvals.one,
    "/close": close.listing,
    "/close/{entity}/{period}": close.one,
    "/profitability": profitability.show,
    "/stock": stock.show,
    "/mappings": mappings.show,
    "/mappings/row": mappings.row,
    "/feeds": feeds.show,
    "/audit": audit.show,
    "/runbook/{code}": runbook.show,
}
"""Everything that is looked at."""

DEEDS: dict[str, tuple[Callable[[Ask, FormData], Done | Page], Right]] = {
    "/exceptions/comment": (exceptions.comment, Right.COMMENT),
    "/exceptions/assign": (exceptions.assign, Right.DECIDE),
    "/exceptions/accept": (exceptions.accept, Right.DECIDE),
    "/exceptions/write-off": (exceptions.write_off, Right.DECIDE),
    "/exceptions/reopen": (exceptions.reopen, Right.DECIDE),
    "/match/confirm": (match.confirm, Right.DECIDE),
    "/match/unmatch": (match.unmatch, Right.DECIDE),
    "/approvals/approve": (approvals.approve, Right.APPROVE),
    "/approvals/reject": (approvals.reject, Right.APPROVE),
    "/mappings/propose": (mappings.propose_row, Right.DECIDE),
    "/mappings/withdraw": (mappings.withdraw, Right.DECIDE),
    "/actions/reveal": (approvals.reveal, Right.REVEAL),
    "/orders/find": (orders.find, Right.REVEAL),
    "/orders/reveal": (orders.reveal, Right.REVEAL),
    "/close/{entity}/{period}/sign": (close.sign, Right.READ),  # which right depends on the role that signs
    "/close/{entity}/{period}/lock": (close.lock, Right.APPROVE),
    "/close/{entity}/{period}/reopen": (close.reopen, Right.APPROVE),
}
"""Everything that is done, and what somebody needs to be allowed."""
