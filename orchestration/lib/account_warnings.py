"""What people should hear of an account although its run went well: a consent that is about to end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol, runtime_checkable

from connectors.errors import ConnectorError
from orchestration.lib.alerts import Alert
from orchestration.lib.connections import ConnectionSource
from orchestration.lib.settings import Settings
from orchestration.lib.state import State


@runtime_checkable
class Warns(Protocol):
    """A connector that knows of trouble to come. Its texts change only when there is something new to tell."""

    def warnings(self) -> list[str]: ...


def account_warnings(connections: ConnectionSource, accounts: Iterable[tuple[str, str]]) -> list[str]:
    """The warnings of (vendor, account) pairs. Calls no vendor."""
    found: list[str] = []
    for vendor, account in accounts:
        # An account without a connector has failed in its extraction, which tells of it.
        with suppress(ConnectorError):
            connector = connections.connector(vendor, account)
            if isinstance(connector, Warns):
                found += [f"{vendor}/{account}: {text}" for text in connector.warnings()]
    return found


def untold_warnings(settings: Settings, warnings: Iterable[str]) -> Alert | None:
    """A message about the warnings that nobody was told of yet, None when there is none. It remembers them as told."""
    wanted = list(dict.fromkeys(warnings))
    if not wanted:
        return None
    with State(settings.state_path) as state:
        news = state.warn(set(wanted), at=settings.clock.text())
    lines = [text for text in wanted if text in news]
    return Alert("Tieout: an account needs a person soon", "\n".join(lines)) if lines else None
