"""The data test `grain` finds doubled and empty keys, and only those."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import pytest

GRAIN = Path(__file__).parents[2] / "dbt_project" / "tests" / "generic" / "grain.sql"
ROWS = "(values ('a', '1'), ('a', '1'), ('b', null), ('c', '2'), (null, '3'), ('a', '2')) as t (x, y)"


def found(nullable: list[str]) -> set[tuple[str | None, str | None, int]]:
    body = GRAIN.read_text().split("%}", 1)[1].replace("{% endtest %}", "")
    template = jinja2.Environment(autoescape=False).from_string(body)  # noqa: S701  # SQL, not HTML
    sql = template.render(
        model="keys", columns=["x", "y"], nullable=nullable, row_digest=lambda names: f"hash({', '.join(names)})"
    )
    with duckdb.connect() as connection:
        connection.execute(f"create table keys as select * from {ROWS}")
        return set(connection.execute(sql).fetchall())


@pytest.mark.parametrize(
    ("nullable", "expected"),
    [
        ([], {("a", "1", 2), ("b", None, 1), (None, "3", 1)}),
        (["y"], {("a", "1", 2), (None, "3", 1)}),
        (["x", "y"], {("a", "1", 2)}),
    ],
)
def test_doubled_and_empty_keys_are_found(
    nullable: list[str], expected: set[tuple[str | None, str | None, int]]
) -> None:
    assert found(nullable) == expected
