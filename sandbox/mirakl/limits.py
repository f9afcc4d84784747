"""The documented call frequencies, enforced when the sandbox is told to (`rate_limits`)."""

import time
from collections import deque

from sandbox.mirakl.calls import Call, Endpoint, Limits


class TooManyRequests(Exception):
    """The call came sooner than its documented maximum frequency allows: answered with 429."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait for {seconds} s")
        self.seconds = seconds


def take_call(endpoint: Endpoint, call: Call) -> None:
    """Counts a call against its endpoint's limits. Raises TooManyRequests.

    A status or an error report is counted for the import or export it belongs to.
    """
    is_later_page = bool(call.text("page_token")) or (call.text("offset") or "0") != "0"
    if endpoint.is_first_page_counted and is_later_page:
        return
    parts = {name: value for name, value in call.request.path_params.items() if name != "marketplace"}
    take(call, endpoint.limits, "|".join(str(value) for value in parts.values()))


def take(call: Call, limits: Limits, subject: str = "") -> None:
    """Counts a call of this key against `limits`. Raises TooManyRequests; then it has not been counted."""
    settings = call.account.settings
    if not settings.is_rate_limited or not limits:
        return
    now = time.monotonic()
    past = call.account.calls.setdefault((call.key.secret, call.code, subject), deque(maxlen=256))
    waits = []
    for count, window in limits:
        seconds = window * settings.rate_window_scale
        inside = [at for at in past if at > now - seconds]
        if len(inside) >= count:
            waits.append(inside[-count] + seconds - now)
    if waits:
        raise TooManyRequests(max(1, -int(-max(waits) // 1)))
    past.append(now)
