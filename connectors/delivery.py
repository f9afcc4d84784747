"""What the outbox and a delivery say to each other. A delivery sends one kind of action to one account of one vendor.

Promises:
- `preview` sends nothing and shows the exact requests.
- `look_up` reads the vendor and never writes: it answers whether an action already took effect.
- `send` never repeats a write by itself. An answer that did not come is `UNKNOWN`, and `look_up` must be asked next.
- `read_back` compares what the vendor now holds with what was wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class Outcome(StrEnum):
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `action_key` is unique; `wire_key` (at most 20 characters) is what the vendor stores of it."""

    action_key: str
    wire_key: str
    kind: str
    marketplace_code: str
    account: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it would be sent. Secrets in `headers` are replaced by `***`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Found:
    """The vendor already holds (part of) this action. `complete` is False when something of it is still missing."""

    vendor_ids: tuple[str, ...]
    complete: bool
    detail: str


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """`retryable` is only meaningful for FAILED: nothing was written and the same action can succeed later."""

    outcome: Outcome
    vendor_ids: tuple[str, ...] = ()
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Verification:
    ok: bool
    detail: str
    vendor_ids: tuple[str, ...] = field(default=())


class Delivery(Protocol):
    """Delivers actions of one kind. Every answer has an entry for every action it was given."""

    kind: str

    def preview(self, actions: Sequence[Action]) -> list[Request]: ...

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]: ...

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]: ...

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]: ...


@runtime_checkable
class Batched(Protocol):
    """A delivery that says itself how many of its actions one call of `send` is given, because it sends several at a
    time.
    """

    batch_size: int


@runtime_checkable
class Settling(Protocol):
    """A delivery that says itself how many seconds a request whose answer was lost may still be at work at the vendor:
    only after that a look-up that finds nothing is believed.
    """

    settle_seconds: float
