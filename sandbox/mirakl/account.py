"""One marketplace as the server holds it: its shops, the keys that open them, and the switches of the sandbox."""

from collections import deque
from dataclasses import dataclass, field

from sandbox.credentials import MiraklKey
from sandbox.journal import WriteJournal
from sandbox.mirakl_shop import MiraklShop


@dataclass
class MiraklSettings:
    """Switches of one sandbox; `POST /_sandbox/settings` changes each by its name."""

    is_rate_limited: bool = False
    rate_window_scale: float = 1.0
    is_partial_acceptance_allowed: bool = True
    import_waiting_seconds: float = 0.15
    import_running_seconds: float = 0.25


@dataclass
class MiraklAccount:
    """One marketplace: its shops and the keys that open them."""

    code: str
    shops: dict[int, MiraklShop]
    keys: dict[str, MiraklKey]
    salt: str
    journal: WriteJournal
    settings: MiraklSettings = field(default_factory=MiraklSettings)
    # Times (monotonic seconds) of the calls made, by call code and the subject whose frequency counts.
    calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    import_count: int = 0
