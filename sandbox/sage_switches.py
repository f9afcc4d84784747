"""What tests switch at a Sage 200 site while it runs: closed periods, locks that others hold, limits on calls."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Classification = Literal["Normal", "Acceptable", "Unacceptable"]


@dataclass
class SageSwitches:
    """None of these belongs to the books; a reset puts them back.

    - closed_periods: months (`2026-06`) that are closed for every ledger; closed_period: how a date in one is
      classified. An Unacceptable date is refused by every posting, an Acceptable one is posted.
    - locked_orders: the user who has an order open in the desktop client, by the order's id.
    - call_seconds: how long a write takes at the site; concurrent_writes: how many it carries out at a time, one more
      is answered with 429. None = as many as come.
    """

    closed_periods: frozenset[str] = frozenset()
    closed_period: Classification = "Unacceptable"
    locked_orders: dict[int, str] = field(default_factory=dict)
    call_seconds: float = 0.0
    concurrent_writes: int | None = None

    def change(self, values: dict[str, Any]) -> None:
        """Raises ValueError with what is wrong; then nothing has changed."""
        readers = {
            "closed_periods": lambda value: frozenset(str(month) for month in value),
            "closed_period": _classification,
            "locked_orders": lambda value: {int(order_id): str(user) for order_id, user in value.items()},
            "call_seconds": float,
            "concurrent_writes": lambda value: None if value is None else int(value),
        }
        unknown = sorted(set(values) - set(readers))
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; switches are {', '.join(readers)}")
        try:
            read = {name: readers[name](value) for name, value in values.items()}
        except (AttributeError, TypeError) as error:
            raise ValueError(str(error)) from None
        for name, value in read.items():
            setattr(self, name, value)

    def describe(self) -> dict[str, Any]:
        return {
            "closed_periods": sorted(self.closed_periods),
            "closed_period": self.closed_period,
            "locked_orders": {str(order_id): user for order_id, user in sorted(self.locked_orders.items())},
            "call_seconds": self.call_seconds,
            "concurrent_writes": self.concurrent_writes,
        }


def _classification(value: Any) -> Classification:
    found: Classification | None = next((known for known in get_args(Classification) if known == value), None)
    if found is None:
        raise ValueError(f"closed_period is one of {', '.join(get_args(Classification))}")
    return found
