"""The documented call frequencies, enforced when the sandbox is told to (`rate_limits`)."""

import time
from collections import deque

from sandbox.mirakl.calls import Call, Endpoint


def seconds_to_wait(endpoint: Endpoint, call: Call) -> int | None:
    """Seconds to wait when the call comes sooner than its documented maximum frequency; None when it may go on."""
    settings = call.account.settings
    if not settings.is_rate_limited or not endpoint.limits:
        return None
    is_later_page = bool(call.text("page_token")) or (call.text("offset") or "0") != "0"
    if endpoint.is_first_page_counted and is_later_page:
        return None
    now = time.monotonic()
    subject = call.request.path_params.get("import_id", "")
    past = call.account.calls.setdefault((call.code, subject), deque(maxlen=256))
    waits = []
    for count, window in endpoint.limits:
        seconds = window * settings.rate_window_scale
        inside = [at for at in past if at > now - seconds]
        if len(inside) >= count:
            waits.append(inside[-count] + seconds - now)
    if waits:
        return max(1, -int(-max(waits) // 1))
    past.append(now)
    return None
