"""The metrics of metrics.yml as queries: one definition for the command line, the exported views and BI tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

SOURCE = Path(__file__).with_name("metrics.yml")


class Metric(BaseModel):
    """One figure. `month` is the column whose month it may be told by; `dimensions` are columns of `mart`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    meaning: str
    mart: str
    value: str
    unit: Literal["count", "money", "ratio", "days"]
    dimensions: tuple[str, ...]
    where: str = "true"
    month: str | None = None

    @property
    def always(self) -> tuple[str, ...]:
        """Dimensions without which the figure would be wrong: no two currencies are added up."""
        is_of_money = self.unit in ("money", "ratio") and "currency_code" in self.dimensions
        return ("currency_code",) if is_of_money else ()

    def query(self, by: Sequence[str] | None = None, *, schema: str = "marts") -> str:
        """SQL with the dimensions `by` (None: all of them, and the month) and the column `value`.

        Raises ValueError for a dimension that the metric does not have.
        """
        allowed = (*self.dimensions, *(("month",) if self.month else ()))
        wanted = list(allowed) if by is None else list(by)
        if unknown := [name for name in wanted if name not in allowed]:
            raise ValueError(f"{self.name} has no dimension {', '.join(unknown)}; it has {', '.join(allowed)}")
        wanted += [name for name in self.always if name not in wanted]
        columns = [
            f"cast(date_trunc('month', {self.month}) as date) as month" if name == "month" else name for name in wanted
        ]
        grouping = f" group by {', '.join(str(number) for number in range(1, len(columns) + 1))}" if columns else ""
        ordering = f" order by {', '.join(str(number) for number in range(1, len(columns) + 1))}" if columns else ""
        head = ", ".join([*columns, f"{self.value} as value"])
        return f"select {head} from {schema}.{self.mart} where {self.where}{grouping}{ordering}"  # noqa: S608  (names and expressions of metrics.yml)


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics in the order of the file."""
    import yaml

    return tuple(Metric.model_validate(one) for one in yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["metrics"])


def metric(name: str) -> Metric:
    """The metric of this name. Raises KeyError."""
    return {one.name: one for one in metrics()}[name]


def published_metrics(marts: Iterable[str]) -> list[Metric]:
    """Those whose mart is published."""
    there = set(marts)
    return [one for one in metrics() if one.mart in there]
