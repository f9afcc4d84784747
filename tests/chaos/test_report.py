"""The page with a run's figures: written between the marks, and nowhere else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.playing import Tally
from tests.chaos.report import BEGIN, END, publish

ROOT = Path(__file__).parents[2]


def test_figures_replace_what_stood_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    one = Tally(actions=6, kinds=Counter({"STOCK BRICO": 2, "STOCK HOMELY": 1}))
    one.add(Tally(actions=4, lost=1, kinds=Counter({"JOURNAL SAGE_UK": 3, "STOCK BRICO": 1}), notes=["seed 2"]))
    publish(page, one, "make chaos SEEDS=2", 2, 3.4)
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "| actions | 10 |" in text
    assert "| lost | 1 |" in text
    assert "| `JOURNAL` |  | 3 |  |" in text
    assert "| `STOCK` | 4 |  |  |" in text


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n", "utf-8")
    with pytest.raises(ValueError, match="no place"):
        publish(page, Tally(), "make chaos", 1, 1.0)


def test_the_page_has_its_place() -> None:
    assert (ROOT / "docs/reliability.md").read_text("utf-8").count(BEGIN) == 1
