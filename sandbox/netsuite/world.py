"""A NetSuite account's content as plain tables, and the switches that make one account differ from another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow as pa

Row = Mapping[str, Any]
Rows = Sequence[Row] | pa.Table


@dataclass
class NetSuiteWorld:
    """Rows by the vendor's table name (`transaction`, `transactionline`, …), keys by its column names.

    Ids are int, amounts Decimal, dates `date`, times `datetime` in UTC (naive or aware), booleans 'T' or 'F', lists
    text such as '1, 2'. `amount`, `debit` and `credit` of `transactionaccountingline` and `netamount` are in the base
    currency of the subsidiary, `foreign…` in the transaction's; sales lines carry negative quantities and amounts.
    A table or column that is missing is empty; large tables can be given as Arrow tables. Columns the vendor does not
    publish (custbody_…) are texts.
    """

    tables: dict[str, Rows] = field(default_factory=dict)
    account_id: str = "1234567_SB1"
    time_zone: str = "America/Los_Angeles"
    ship_methods: Mapping[int, str] = field(default_factory=dict)
    """Names of the shipping items, which queries see through `BUILTIN.DF` of a line's `shipmethod` only."""

    @property
    def host_label(self) -> str:
        """The account id as host names spell it: `1234567-sb1`."""
        return self.account_id.lower().replace("_", "-")


@dataclass
class NetSuiteSettings:
    """What differs between accounts and roles. Tests change it while the sandbox runs.

    - concurrency_limit: calls at a time over the whole account; one more is answered with 429 and `limit_code`.
    - call_seconds: how long a call holds its place at least, its work included.
    - expires_in_form: whether the life of a token is told as a text, as the help prints it, or as a number.
    - denied_tables: SuiteQL says that they do not exist, as for a role without the permission.
    - role_permissions: what the role may do (`TRAN_JOURNAL=3`; 1 view, 2 create, 3 edit, 4 full), as far as it shows:
      the table `rolepermissions` is there when the role may see it (`shows_permissions`), and `employee` with
      LIST_EMPLOYEE. Everything else is governed by the switches beside this one.
    - role_subsidiaries: the role sees the transactions of these only, silently; None = of all.
    - denied_records: records the role may not create or edit; denied_status 400 is what is seen live, 403 what is
      documented.
    - hidden_columns: (table, column) → the reason given ("REMOVED", "NOT_EXPOSED"), "" for an unknown identifier.
    - date_format: Oracle mask in which dates appear that are not formatted by TO_CHAR.
    - past_ceiling: what an offset at or past the row ceiling answers; sources disagree.
    - approval_required: journals wait for approval unless they are sent approved.
    - closed_period: an implied closed period is refused, or the journal lands in the first open one.
    - builtin_allowed: whether statements may use functions of `BUILTIN` at all; not known for every account.
    - external_id_scope: whether two transaction types may carry the same external id; sources disagree.
    """

    concurrency_limit: int = 5
    call_seconds: float = 0.0
    limit_code: Literal["CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"] = "CONCURRENCY_LIMIT_EXCEEDED"
    token_seconds: int = 3600
    expires_in_form: Literal["text", "number"] = "text"
    clock_skew_seconds: int = 300
    denied_tables: set[str] = field(default_factory=set)
    role_permissions: set[str] = field(default_factory=set)
    shows_permissions: bool = False
    role_subsidiaries: set[int] | None = None
    denied_records: set[str] = field(default_factory=set)
    denied_status: Literal[400, 403] = 400
    hidden_columns: dict[tuple[str, str], str] = field(
        default_factory=lambda: {
            ("transaction", "subsidiary"): "",
            ("transaction", "total"): "",
            ("transaction", "account"): "",
            ("transaction", "createdfrom"): "",
            ("transactionline", "amount"): "REMOVED",
        }
    )
    date_format: str = "MM/DD/YYYY"
    row_ceiling: int = 100_000
    past_ceiling: Literal["error", "end"] = "error"
    approval_required: bool = False
    closed_period: Literal["refuse", "first_open"] = "refuse"
    builtin_allowed: bool = True
    external_id_scope: Literal["type", "transactions"] = "type"

    def change(self, name: str, value: object) -> None:
        """Sets a switch that is a number, a text or a list of names. Raises KeyError for any other, ValueError for a
        value of another kind.
        """
        if name == "hidden_columns" or name not in self.__dataclass_fields__:
            raise KeyError(name)
        before = getattr(self, name)
        if isinstance(before, set) or name == "role_subsidiaries":
            if value is not None and not isinstance(value, list):
                raise ValueError(f"{name} takes a list")
            setattr(self, name, None if value is None else set(value))
            return
        hints = get_type_hints(type(self))[name]
        if get_origin(hints) is Literal and value not in get_args(hints):
            raise ValueError(f"{name} is one of {', '.join(map(str, get_args(hints)))}")
        if not isinstance(before, bool) and isinstance(value, bool):
            raise ValueError(f"{name} takes no boolean")
        setattr(self, name, type(before)(value))  # type: ignore[call-arg]

    def shown(self) -> dict[str, Any]:
        """The switches that `change` takes, JSON-ready."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "hidden_columns"}
        return {name: sorted(value) if isinstance(value, set) else value for name, value in values.items()}
