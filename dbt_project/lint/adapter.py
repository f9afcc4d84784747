"""What sqlfluff's jinja templater lacks of dbt's `adapter`, so that the linter reads the SQL that DuckDB gets.

sqlfluff makes each module of this folder a name of the template (`library_path` in pyproject.toml). dbt itself never
reads it.
"""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import UndefinedError, pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro_name: str) -> Callable[..., object]:
    """The `default__` macro of a name: DuckDB is the target that takes the defaults. An unknown name fails the file."""
    macro = context.resolve_or_missing(f"default__{macro_name}")
    if not callable(macro):
        raise UndefinedError(f"no macro default__{macro_name}")
    return macro


def get_columns_in_relation(relation: object) -> list[object]:
    """None: the linter has no database."""
    return []
