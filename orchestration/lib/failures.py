"""From a connector's error to Dagster's words. The only place that maps one to the other."""

from __future__ import annotations

import dagster as dg

from connectors.errors import BudgetExhausted, ConnectorError

MAXIMUM_WAIT_SECONDS = 60.0


def failure(error: ConnectorError, *, doing: str, wait_seconds: float) -> dg.Failure | dg.RetryRequested:
    """What a step raises for `error`. `doing` completes the sentence "failed to ...".

    A passing failure is asked for once more, after the vendor's wish or `wait_seconds`; the connector has used up its
    own retries by then. A permanent one never is, because a repeated wrong key can lock an account. Neither is a
    budget that stays empty for longer than a step may wait: the next run finds it filled.
    """
    wish = getattr(error, "retry_after", None) or wait_seconds
    if error.retryable and not (isinstance(error, BudgetExhausted) and wish > MAXIMUM_WAIT_SECONDS):
        return dg.RetryRequested(max_retries=1, seconds_to_wait=min(float(wish), MAXIMUM_WAIT_SECONDS))
    return dg.Failure(
        description=f"failed to {doing}: {error}",
        metadata={
            "vendor": error.vendor,
            "call": error.call,
            "error": type(error).__name__,
            "status": error.status if error.status is not None else "none",
        },
        allow_retries=False,
    )
