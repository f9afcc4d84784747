"""Charts as SVG inside the page: drawn by pygal, coloured by the style sheet, always beside their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pygal
from markupsafe import Markup
from pygal.etree import etree

from app.formats import Formats

KINDS = ("rise", "fall", "total")
NIL = Decimal(0)
UNWANTED = frozenset({"script", "style", "title", "desc"})


def waterfall(steps: Sequence[tuple[str, Decimal, bool]], formats: Formats, title: str) -> Markup:
    """Bars that hang where the one before ended. A step is (name, amount, whether it is a total: a bar from nil)."""
    # What lies between nil and a bar is a bar that nobody sees. A bar that crosses nil has a part above and one below.
    hidden: list[Decimal | None] = []
    parts: dict[tuple[str, bool], list[Decimal | None]] = {(kind, up): [] for kind in KINDS for up in (True, False)}
    level = NIL
    for _, amount, is_total in steps:
        start, level = (NIL, amount) if is_total else (level, level + amount)
        low, high = min(start, level), max(start, level)
        kind = "total" if is_total else "rise" if level >= start else "fall"
        hidden.append(low if low > 0 else high if high < 0 else None)
        above, below = max(high, NIL) - max(low, NIL), min(low, NIL) - min(high, NIL)
        for (name, is_above), values in parts.items():
            values.append((above if is_above else below) or None if name == kind else None)
    chart = pygal.StackedBar(show_legend=False, x_label_rotation=30, **_plain(formats))
    chart.x_labels = [name for name, _, _ in steps]
    chart.add("hidden", hidden)
    for (name, _), values in parts.items():
        chart.add(name, values)
    return _inline(chart, title)


def trend(labels: Sequence[str], lines: Mapping[str, Sequence[Decimal | None]], formats: Formats, title: str) -> Markup:
    """One line per name over the labels."""
    chart = pygal.Line(legend_at_bottom=True, dots_size=4, **_plain(formats))
    chart.x_labels = list(labels)
    for name, values in lines.items():
        chart.add(name, list(values))
    return _inline(chart, title)


def _plain(formats: Formats) -> dict[str, object]:
    return {
        "width": 640,
        "height": 320,
        "css": [],
        "js": [],
        "no_prefix": True,
        "value_formatter": formats.money,
        "print_values": False,
        "margin": 12,
    }


def _inline(chart: pygal.graph.graph.Graph, title: str) -> Markup:
    """The SVG as a picture with a name, without its own script and style: the page's policy allows neither."""
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            # A comment has a function for its tag.
            if not isinstance(child.tag, str) or child.tag.rsplit("}", 1)[-1] in UNWANTED:
                parent.remove(child)
        parent.attrib.pop("style", None)
    for attribute in list(root.attrib):
        if attribute.rsplit("}", 1)[-1] in ("id", "width", "height"):
            del root.attrib[attribute]
    root.set("role", "img")
    root.set("aria-label", title)
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704  (texts are escaped, the tree is cleaned above)
