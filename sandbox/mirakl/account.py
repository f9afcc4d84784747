"""One marketplace as the server holds it: its shops, the keys that open them, and the switches of the sandbox."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.clock import SandboxClock
from sandbox.credentials import MiraklKey
from sandbox.journal import WriteJournal
from sandbox.mirakl.operator_sign_in import OperatorSignIn
from sandbox.mirakl_shop import MiraklShop

if TYPE_CHECKING:
    from sandbox.mirakl.exports import Export
    from sandbox.mirakl.mutations import Mutation


@dataclass
class MiraklSettings:
    """Switches of one sandbox; `POST /_sandbox/settings` changes each by its name."""

    is_rate_limited: bool = False
    rate_window_scale: float = 1.0
    is_partial_acceptance_allowed: bool = True
    import_waiting_seconds: float = 0.15
    import_running_seconds: float = 0.25
    # What each line adds: a short file is done before a long one that came earlier.
    import_line_seconds: float = 0.0
    # Terms of the platform, on the sandbox's clock.
    acceptance_hours: float = 48.0
    receive_days: float = 7.0
    close_days: float = 14.0
    # Whether the operator's payment systems confirm debits, refunds and pay-outs by themselves, and how soon.
    is_operator_automatic: bool = True
    debit_minutes: float = 30.0
    refund_minutes: float = 60.0
    # Off: a 429 says nothing of how long to wait, as some hosts do.
    has_retry_after: bool = True
    export_seconds: float = 0.3
    # How many of the exports that are asked for next end FAILED, and how many CANCELED.
    failing_exports: int = 0
    canceled_exports: int = 0
    # The published minimum; Mirakl lowers it on test instances.
    minimum_items_per_chunk: int = 10_000
    operator_token_seconds: int = 3599


@dataclass
class MiraklAccount:
    """One marketplace: its shops and the keys that open them."""

    code: str
    shops: dict[int, MiraklShop]
    keys: dict[str, MiraklKey]
    salt: str
    journal: WriteJournal
    clock: SandboxClock
    settings: MiraklSettings = field(default_factory=MiraklSettings)
    # Times (monotonic seconds) of the calls made, by key, call code and the subject whose frequency counts.
    calls: dict[tuple[str, str, str], deque[float]] = field(default_factory=dict)
    import_count: int = 0
    # Asynchronous exports by tracking id, the newest last.
    exports: "dict[str, Export]" = field(default_factory=dict)
    export_count: int = 0
    # Changes that wait for a call.
    mutations: "list[Mutation]" = field(default_factory=list)
    # Issues and knows the access tokens of an operator; a seller has none.
    sign_in: OperatorSignIn | None = None
