"""Pages as HTML. Everything that comes from data is escaped; nothing in a page runs a script of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.asking import Ask, Page
from app.formats import words
from app.tables import Answer, Link, Row, answer

HERE = Path(__file__).parent
NAVIGATION = (
    ("/", "Today"),
    ("/exceptions", "Exceptions"),
    ("/payouts", "Pay-outs"),
    ("/match", "Match"),
    ("/orders", "Orders"),
    ("/approvals", "Approvals"),
    ("/close", "Close"),
    ("/profitability", "Profitability"),
    ("/stock", "Stock and offers"),
    ("/mappings", "Mappings"),
    ("/feeds", "Feeds"),
    ("/audit", "Audit"),
)

_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["words"] = words
_UUID = re.compile(r"\b([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")


def breakable(text: Any) -> Markup:
    """The text with places where a narrow column may break it. Of a UUID people see the beginning: all of it is there
    for whoever points at it, copies it or has it read out.
    """
    safe = str(escape(str(text)))
    if " " in safe:
        return Markup(safe)  # noqa: S704  (escaped above)
    short = _UUID.sub(r'<span class="uuid" title="\1\2">\1<span class="unseen">\2</span></span>', safe)
    return Markup(re.sub(r"([|,_])(?=[^\s<])", r"\1<wbr>", short))  # noqa: S704  (escaped above)


_environment.filters["breakable"] = breakable
_environment.filters["segment"] = lambda text: quote(str(text), safe="")


def explain_address(id_: Any) -> str:
    """The page that explains an id."""
    return f"/explain?{urlencode({'id': str(id_)})}"


def explained(key: str) -> Link:
    """A column's link to the explanation of the id in `key`; none where there is no id."""

    def link(row: Row) -> str | None:
        return explain_address(row[key]) if row.get(key) else None

    return link


EVIDENCE_KEYS = (
    ("transaction_line_id",),
    ("receipt_id",),
    ("subject_id", "left_id", "right_id"),
    ("journal_key",),
    ("order_line_id",),
    ("order_id",),
    ("billing_cycle_id",),
)
"""Which ids of a row name the vendors' records behind its figures; the first that it has."""


def evidence_address(ids: Sequence[str], marketplace: Any = None) -> str:
    """The page with the records that these ids stand in."""
    of = [("of", str(marketplace))] if marketplace else []
    return f"/evidence?{urlencode([*(('id', one) for one in ids), *of])}"


def evidence_of(row: Row) -> str | None:
    """The evidence of a row's figures; None for a sum of many things."""
    for keys in EVIDENCE_KEYS:
        ids = list(dict.fromkeys(str(row[key]) for key in keys if row.get(key)))
        if ids:
            return evidence_address(ids, row.get("marketplace_code"))
    return None


_environment.globals["explain_address"] = explain_address
_environment.globals["evidence_address"] = evidence_address
_environment.globals["evidence_of"] = evidence_of


def render_page(ask: Ask, page: Page, *, token: str, flash: tuple[str, bool] | None) -> str:
    """The page with its tables filled as the address asks."""
    path = ask.request.url.path
    answers: dict[str, Answer] = {
        name: answer(table, ask.published, path, ask.asked) for name, table in page.tables.items()
    }
    here = next((one for one, _ in NAVIGATION if path == one or (one != "/" and path.startswith(f"{one}/"))), "")
    values = {
        "ask": ask,
        "title": page.title,
        "tables": answers,
        "navigation": NAVIGATION,
        "here": here,
        "token": token,
        "flash": flash,
        "fmt": ask.formats,
        "theme": theme_of(ask.request.cookies),
        **page.values,
    }
    return _environment.get_template(page.template).render(values)


def render_plain(template: str, **values: Any) -> str:
    """A page for somebody who is not signed in, or without marts."""
    return _environment.get_template(template).render(values)


def theme_of(cookies: Mapping[str, str]) -> str:
    """light, dark, or empty: as the reader's system."""
    wanted = cookies.get("theme", "")
    return wanted if wanted in ("light", "dark") else ""
