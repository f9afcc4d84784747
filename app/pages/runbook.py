"""The section of docs/runbooks.md about one exception code."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from app.asking import Ask, NotHere, Page
from orchestration.lib.settings import PROJECT_ROOT

FILE = PROJECT_ROOT / "docs" / "runbooks.md"


def show(ask: Ask) -> Page:
    """What a code means, how to see it, what to do, when to escalate; and how many are open."""
    code = ask.path("code").upper()
    section = section_of(FILE, code)
    if section is None:
        raise NotHere(f"The runbook knows no code {code}.")
    # Raw HTML in the text is escaped, links within the document lead to pages here.
    html = MarkdownIt("js-default", {"html": False}).render(section)
    html = re.sub(r'href="#([a-z]{3}-\d{3})"', lambda found: f'href="/runbook/{found[1].upper()}"', html)
    html = re.sub(r'<a href="(?!/|https?:)[^"]*">(.*?)</a>', r"\1", html)
    count = ask.published.rows(
        "SELECT count(*) AS rows FROM exceptions WHERE exception_code = ? AND status IN ('OPEN', 'IN_PROGRESS')", [code]
    )[0]["rows"]
    return Page("runbook.html", f"Runbook: {code}", {"html": Markup(html), "code": code, "count": count})  # noqa: S704


def section_of(path: Path, code: str) -> str | None:
    """The text under the code's heading; None when there is none."""
    if not path.is_file() or not re.fullmatch(r"[A-Z]{3}-\d{3}", code):
        return None
    found = re.search(rf"^### {code}\n(.*?)(?=^###? |\Z)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else None
