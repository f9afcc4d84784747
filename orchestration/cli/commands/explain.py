"""`tieout explain`."""

from __future__ import annotations

import shlex

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session
from orchestration.lib.explaining.chains import Explainer
from orchestration.lib.explaining.finding import AT_ONCE, Subject, find, similar
from orchestration.lib.explaining.tree import Node
from orchestration.lib.figure_evidence import places_of


def _add_evidence(session: Session, node: Node) -> None:
    """The files and records of the thing and of all below it; nothing before a run has made the index."""
    try:
        places = places_of(session.settings, session.published, [node.id], str(node.facts.get("marketplace") or ""))
    except FileNotFoundError:
        return
    node.evidence = [f"{one.file}, record {one.position + 1}" for one in places]
    for child in node.children:
        _add_evidence(session, child)


def _named(subjects: list[Subject]) -> str:
    """Each with what it is and whose, for a message."""
    return "; ".join(
        " ".join(filter(None, (one.kind.replace("_", " ").lower(), one.id, one.marketplace_code))) for one in subjects
    )


def explain_command(session: Session, text: str, marketplace: str | None = None) -> None:
    """Explain everything the id names (one thing, or one per marketplace), up to AT_ONCE things."""
    published = session.published
    subjects = find(published, text, marketplace)
    if len(subjects) > AT_ONCE:
        raise CliError(
            f"{len(subjects)} things have the id {text!r}: " + _named(subjects[:AT_ONCE]) + " …",
            action="Say which: a marketplace with --marketplace, or the thing's own id",
        )
    if not subjects:
        near = similar(published, text)
        raise CliError(
            f"nothing published has the id {text!r}",
            action=f"Near it: {_named(near)}"
            if near
            else 'Look around: tieout sql "select order_id from fct_orders limit 10"',
        )
    explainer = Explainer(published)
    nodes = [explainer.explain(subject) for subject in subjects]
    for node in nodes:
        _add_evidence(session, node)
    if session.as_json:
        print_json({"id": text, "explanations": [node.to_dict() for node in nodes]})
        return
    from orchestration.cli.explaining import show

    out = console()
    for node in nodes:
        show(node, out)
        if not node.exceptions:
            out.print("  no open exceptions", style="dim")
    words = "every record that names it, and whether its file is what was landed"
    out.print(f"  {words}: tieout evidence {shlex.quote(text)}", style="dim", markup=False)
