"""Turns the failure of a trial call into a sentence and a piece of advice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.errors import ConnectorError
from connectors.records import CheckResult

Advice = Mapping[type[ConnectorError], str]


def try_call(name: str, call: Callable[[], str], advice: Advice, otherwise: str) -> CheckResult:
    """Run a trial call, which answers with what it found; explain a ConnectorError by the advice for its type."""
    try:
        return CheckResult(name, True, call())
    except ConnectorError as error:
        action = next((text for kind, text in advice.items() if isinstance(error, kind)), otherwise)
        return CheckResult(name, False, str(error), action)
