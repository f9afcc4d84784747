"""The delivery of journals on its own, for callers that post nothing else to a company."""

from __future__ import annotations

from connectors.sage200.client import Sage200Connector
from connectors.sage200.writes import journal
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.sending import Desk


class JournalDelivery(journal.JournalDelivery):
    """`connectors.sage200.writes.deliveries` gives the deliveries of every kind, which share what they look up."""

    def __init__(self, connector: Sage200Connector) -> None:
        desk = Desk(connector)
        super().__init__(desk, Codes(desk))
