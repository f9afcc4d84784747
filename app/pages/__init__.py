"""The pages, one module each, and the addresses they answer at."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import FormData
from starlette.responses import Response

from app.asking import Ask, Done, Page
from app.pages import exceptions, explain, today
from app.people import Right

SCREENS: dict[str, Callable[[Ask], Page | Response]] = {
    "/": today.today,
    "/exceptions": exceptions.listing,
    "/exceptions/{exception}": exceptions.one,
    "/explain": explain.explain,
}
"""Everything that is looked at."""

DEEDS: dict[str, tuple[Callable[[Ask, FormData], Done | Page], Right]] = {
    "/exceptions/comment": (exceptions.comment, Right.COMMENT),
    "/exceptions/assign": (exceptions.assign, Right.DECIDE),
    "/exceptions/accept": (exceptions.accept, Right.DECIDE),
    "/exceptions/write-off": (exceptions.write_off, Right.DECIDE),
    "/exceptions/reopen": (exceptions.reopen, Right.DECIDE),
}
"""Everything that is done, and what somebody needs to be allowed."""
