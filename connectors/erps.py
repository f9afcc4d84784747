"""What an ERP of somebody else's making registers, so that no file of this project has to know it.

A distribution names one `ErpVendor` in the entry-point group `tieout.erps`. From then on `erps.csv` may hold its
companies and `feeds.csv` its feeds: they are read, loaded, built into the ledger models and posted to like those of
the ERPs that come with Tieout. docs/how-to/add-an-erp.md walks through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from connectors.delivery import Delivery
from connectors.errors import BadConfiguration
from connectors.records import CheckResult, FeedSpec, Page, Window

GROUP = "tieout.erps"
BUILT_IN = frozenset({"mirakl", "bank", "sage200", "netsuite"})
"""Vendors that nobody else may call themselves."""
LEDGER_MODELS = frozenset(
    {
        "erp_bank_transactions",
        "erp_customer_transactions",
        "erp_order_lines",
        "erp_orders",
        "erp_postings",
        "items",
        "stock",
        "warehouses",
    }
)
"""The canonical models that take an ERP's rows. An ERP maps those that it has something for."""


class ErpConnector(Protocol):
    """Reads one company. `feeds` are the vendor's, `check` is what `tieout doctor` prints."""

    @property
    def feeds(self) -> Mapping[str, FeedSpec]: ...

    def pages(self, entity: str, window: Window) -> Iterator[Page]: ...

    def check(self) -> list[CheckResult]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpCompany:
    """One enabled row of erps.csv. `columns` are all its cells, those that only this vendor reads included; an empty
    cell is None. `secret("KEY")` is the environment's `<VENDOR>_<ERP_CODE>_KEY`; it raises AuthError when nobody has
    set it. `config_dir` is where relative paths start. `clock` gives the time in UTC.
    """

    code: str
    columns: Mapping[str, str | None]
    config_dir: Path
    secret: Callable[[str], str]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpVendor:
    """An ERP as the pipeline needs it.

    `columns` are the cells of erps.csv that a company must fill. `secrets` are the last parts of its environment
    variables' names. `dbt_models` holds `staging/` (`stg_<vendor>__<feed>`) and `ledger/`
    (`int_<vendor>__<ledger model>`, one for each of `ledger_models`), with their YAML files beside them.
    """

    name: str
    feeds: Mapping[str, FeedSpec]
    connect: Callable[[ErpCompany], ErpConnector]
    deliveries: Callable[[ErpConnector], Mapping[str, Delivery]]
    dbt_models: Path
    ledger_models: tuple[str, ...]
    columns: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def problem(self) -> str | None:
        """Why it cannot be registered."""
        if not re.fullmatch(r"[a-z][a-z0-9]{1,29}", self.name) or self.name in BUILT_IN:
            return "its name is not 2 to 30 lower-case letters and digits, or is taken"
        if unknown := set(self.ledger_models) - LEDGER_MODELS:
            return (
                f"there is no ledger model {', '.join(sorted(unknown))}; there are {', '.join(sorted(LEDGER_MODELS))}"
            )
        if foreign := [entity for entity, spec in self.feeds.items() if spec.vendor != self.name]:
            return f"the feeds {', '.join(foreign)} name another vendor"
        if other := [t.name for s in self.feeds.values() for t in s.tables if not t.name.startswith(f"{self.name}_")]:
            return f"the tables {', '.join(other)} do not begin with {self.name}_"
        if not (self.dbt_models / "staging").is_dir() or not (self.dbt_models / "ledger").is_dir():
            return f"{self.dbt_models} has no folders staging and ledger"
        return None


@cache
def registered_erps() -> Mapping[str, ErpVendor]:
    """The ERPs of other distributions, by vendor name. Read once per process.

    Raises BadConfiguration, naming the distribution, for one that cannot work.
    """
    found: dict[str, ErpVendor] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        vendor = point.load()
        problem = vendor.problem() if isinstance(vendor, ErpVendor) else "it is not an ErpVendor"
        if problem is None and vendor.name in found:
            problem = "another distribution has registered this name"
        if problem is not None:
            raise BadConfiguration(
                f"the ERP {point.name} ({point.value}) cannot be used: {problem}",
                vendor=point.name,
                call="registration",
            )
        found[vendor.name] = vendor
    return found
