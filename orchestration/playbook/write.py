"""Writes the playbook as Markdown, with the configuration of a site of it (mkdocs)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from orchestration.lib.configuration import ExceptionCode
from orchestration.lib.files import replace_file
from orchestration.lib.registry import Registry
from orchestration.playbook.handover import HANDOVERS
from orchestration.playbook.tasks import DAILY, MONTHLY, TASKS, WEEKLY, Task

RHYTHMS = {
    DAILY: ("Every day", "In the morning, in this order."),
    WEEKLY: ("Every week", "On one fixed day."),
    MONTHLY: ("At the month's end", "From working day 1 on."),
}
UNITS = {"WORKING_HOUR": "working hours", "BUSINESS_DAY": "business days", "HOUR": "hours", "DAY": "days"}


@dataclass(frozen=True, slots=True)
class Playbook:
    """What a playbook is made of. `runbooks` is the text of docs/runbooks.md."""

    registry: Registry
    runbooks: str
    today: date

    @property
    def fills(self) -> dict[str, str]:
        """What stands in commands: the month to close, one entity, and a day a month ago."""
        end = self.today.replace(day=1) - timedelta(days=1)
        entities = sorted({row.entity_code for row in self.registry.marketplaces if row.is_enabled})
        return {
            "period": end.strftime("%Y-%m"),
            "entity": entities[0] if entities else "ENTITY",
            "month_ago": (self.today - timedelta(days=30)).isoformat(),
        }

    @property
    def teams(self) -> list[str]:
        return list(dict.fromkeys(row.owner_team for row in self.registry.exception_codes))


def write(book: Playbook, folder: Path) -> list[Path]:
    """Write every page and mkdocs.yml; the paths, in order. Pages of codes that are no longer there are removed."""
    pages = dict(contents(book))
    for old in (folder / "pages" / "codes").glob("*.md"):
        if f"codes/{old.name}" not in pages:
            old.unlink()
    written = []
    for name, text in pages.items():
        path = folder / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
        written.append(path)
    site = folder / "mkdocs.yml"
    replace_file(site, _site(book).encode())
    return [*written, site]


def contents(book: Playbook) -> Iterator[tuple[str, str]]:
    """Page name and Markdown, in the order of the site."""
    yield "index.md", "\n".join(_index(book)) + "\n"
    for rhythm in RHYTHMS:
        yield f"{rhythm}.md", "\n".join(_tasks(book, rhythm)) + "\n"
    yield "codes/index.md", "\n".join(_codes(book)) + "\n"
    sections = sections_of(book.runbooks)
    for code in book.registry.exception_codes:
        yield (
            f"codes/{code.exception_code.lower()}.md",
            "\n".join(_code(code, sections.get(code.exception_code, ""))) + "\n",
        )
    for name, (team, items) in HANDOVERS.items():
        if team in book.teams:
            yield f"handover/{name}.md", "\n".join(_handover(book, team, items)) + "\n"


def sections_of(runbooks: str) -> dict[str, str]:
    """The text of each code's section, without its heading and what the seed says better."""
    found: dict[str, str] = {}
    for part in re.split(r"^### ", runbooks, flags=re.MULTILINE)[1:]:
        code, _, body = part.partition("\n")
        body = re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0].strip()
        # The seed says it better: title and first step stand above it on the page.
        _, _, rest = body.partition("\n")
        lines = [line for line in rest.splitlines() if not line.startswith("- Severity S")]
        first = next((number for number, line in enumerate(lines) if line.startswith("- Do: ")), None)
        if first is not None and not any(line.strip() for line in lines[:first]):
            del lines[first]
        found[code.strip()] = "\n".join(lines).strip()
    return found


def _index(book: Playbook) -> Iterator[str]:
    registry = book.registry
    yield "# Playbook"
    yield ""
    yield "Who looks at what, when, and what to do when it is not as it should be. Written by `tieout playbook` from"
    yield "the configuration: change that and write it again, this page is overwritten."
    yield ""
    yield "| marketplace | as | books | ERP | bank account | live from |"
    yield "|---|---|---|---|---|---|"
    for row in registry.marketplaces:
        if row.is_enabled:
            name = f"{row.marketplace_code} {_cell(row.marketplace_name)}"
            yield (
                f"| {name} | {row.perspective.lower()} | {row.entity_code} | {row.erp_code or '–'} "
                f"| {row.bank_account_code or '–'} | {row.go_live_date} |"
            )
    yield from ("", "## Teams", "")
    yield "| team | hears through | at once | not between | digest | daily | weekly | month's end |"
    yield "|---|---|---|---|---|---|---|---|"
    for team in book.teams:
        routes = [row for row in registry.alert_routes if row.owner_team == team] or [
            row for row in registry.alert_routes if row.owner_team == "*"
        ]
        for route in routes:
            quiet = f"{route.quiet_from} and {route.quiet_until}" if route.quiet_from else "–"
            links = " | ".join(f"[{len(_of(book, rhythm, team))}]({rhythm}.md#{_anchor(team)})" for rhythm in RHYTHMS)
            digest = route.digest_at or "–"
            yield f"| {team} | {route.channel} | {route.severity} and worse | {quiet} | {digest} | {links} |"
    yield from ("", "## When something is red", "")
    yield f"- [{len(registry.exception_codes)} exception codes](codes/index.md): what each means, what to do, by when."
    yield "- Stop everything now: `TIEOUT_WRITE_BACK=off` where the runs are started, or a row in `switches.csv`."


def _tasks(book: Playbook, rhythm: str) -> Iterator[str]:
    title, when = RHYTHMS[rhythm]
    yield f"# {title}"
    yield ""
    yield when
    for team in book.teams:
        tasks = _of(book, rhythm, team)
        if tasks:
            yield from ("", f"## {team}")
        for task in tasks:
            yield from ("", f"### {task.title}", "")
            yield from (f"    {command.format(**book.fills)}" for command in task.commands)
            yield from ("", f"- **Good:** {task.good}", f"- **Otherwise:** {task.otherwise}")


def _of(book: Playbook, rhythm: str, team: str) -> list[Task]:
    return [one for one in TASKS if one.rhythm == rhythm and one.team == team and one.applies(book.registry)]


def _codes(book: Playbook) -> Iterator[str]:
    yield "# Exception codes"
    for team in book.teams:
        yield from ("", f"## {team}", "", "| code | severity | what | within |", "|---|---|---|---|")
        for code in book.registry.exception_codes:
            if code.owner_team == team:
                name = code.exception_code
                yield f"| [{name}]({name.lower()}.md) | {code.severity} | {_cell(code.title)} | {_within(code)} |"


def _code(code: ExceptionCode, section: str) -> Iterator[str]:
    name = code.exception_code
    yield f"# {name} {code.title}"
    yield ""
    yield "| severity | owner | within | usual cause | money |"
    yield "|---|---|---|---|---|"
    money = "grows graver with the amount" if code.is_money else "counts, not amounts"
    yield f"| {code.severity} | {code.owner_team} | {_within(code)} | {code.root_cause} | {money} |"
    yield from ("", f"**Do:** {code.recommended_action}.", "", "## See it", "")
    yield f"    tieout exceptions --code {name}"
    yield "    tieout explain ID"
    yield from ("", "## What it means and what to do", "")
    yield section or "Nothing more is written about this code."
    yield from ("", "## When it stays", "")
    yield "- Somebody has it: `tieout alerts ack ID --reason ...`. alert_routes.csv says who is told next."
    yield "- It stays as it is: `tieout accept ID --reason ...`. It is given up: `tieout write-off ID --reason ...`."
    yield "- It closes itself (RESOLVED) when a later run finds both sides equal."


def _handover(book: Playbook, team: str, items: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"# Hand-over of {team}"
    yield ""
    yield "Done when both have put their names to every line."
    yield ""
    for text, command in items:
        yield f"- [ ] {text}" + (f": `{command.format(**book.fills)}`" if command else "")
    codes = [row for row in book.registry.exception_codes if row.owner_team == team and row.severity == "S1"]
    yield from ("", "Has read the pages of the gravest codes:", "")
    yield from (f"- [ ] [{row.exception_code} {row.title}](../codes/{row.exception_code.lower()}.md)" for row in codes)


def _within(code: ExceptionCode) -> str:
    if code.sla_amount is None or code.sla_unit is None:
        return "–"
    return f"{code.sla_amount.normalize():f} {UNITS.get(code.sla_unit, code.sla_unit.lower())}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _anchor(team: str) -> str:
    return team.lower()


def _site(book: Playbook) -> str:
    import yaml

    handovers: list[Mapping[str, str]] = [
        {team.replace("_", " ").capitalize(): f"handover/{name}.md"}
        for name, (team, _) in HANDOVERS.items()
        if team in book.teams
    ]
    site = {
        "site_name": "Tieout playbook",
        "docs_dir": "pages",
        "site_dir": "site",
        "use_directory_urls": True,
        "theme": {
            "name": "material",
            "font": False,
            "features": ["navigation.tabs", "navigation.top", "content.code.copy"],
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default", "toggle": _toggle("moon", "dark")},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "toggle": _toggle("sun", "light")},
            ],
        },
        "plugins": ["search"],
        "markdown_extensions": ["tables", "toc", {"pymdownx.tasklist": {"custom_checkbox": True}}],
        "nav": [
            {"Playbook": "index.md"},
            *({title: f"{rhythm}.md"} for rhythm, (title, _) in RHYTHMS.items()),
            {
                "Codes": [
                    "codes/index.md",
                    *(f"codes/{row.exception_code.lower()}.md" for row in book.registry.exception_codes),
                ]
            },
            {"Hand-over": handovers},
        ],
    }
    return yaml.safe_dump(site, sort_keys=False, allow_unicode=True)


def _toggle(icon: str, other: str) -> dict[str, str]:
    return {"icon": f"material/weather-{'night' if icon == 'moon' else 'sunny'}", "name": f"Switch to {other}"}
