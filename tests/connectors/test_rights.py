"""The table of least rights: complete, and in the vendors' own words."""

from __future__ import annotations

import json

from connectors.mirakl.endpoints import ENDPOINTS
from connectors.mirakl.writes import deliveries as mirakl_deliveries
from connectors.netsuite.writes import deliveries as netsuite_deliveries
from connectors.rights import all_rights, kinds_of, rights
from orchestration.lib.configuration import Switch
from orchestration.lib.registry import load_registry, read_rows
from orchestration.lib.settings import DEFAULT_CONFIG_DIR
from tests.connectors.test_mirakl_reads_sandbox import brico
from tests.connectors_netsuite.account import connector
from tests.contracts.published import contracts_folder


def test_every_kind_of_write_names_its_rights() -> None:
    for vendor, deliveries in (
        ("mirakl", mirakl_deliveries(brico("http://127.0.0.1:1"))),
        ("netsuite", netsuite_deliveries(connector("http://127.0.0.1:1"), None, lambda *_: {})),
    ):
        assert kinds_of(vendor) == set(deliveries), vendor


def test_every_kind_that_can_be_switched_on_names_its_rights() -> None:
    for switch in read_rows(DEFAULT_CONFIG_DIR, Switch):
        assert switch.kind in kinds_of(switch.vendor), switch


def test_every_feed_has_a_right_that_opens_it() -> None:
    """Except those calls to which Mirakl's specification gives no right."""
    free = {"document_requests", "document_request_lines", "threads", "offer_changes", "statements"}
    operator = {"shops", "payment_debits", "payment_refunds"}
    for feed in load_registry(DEFAULT_CONFIG_DIR).feeds:
        side = "SELLER" if feed.vendor == "mirakl" else ""
        if feed.entity not in free | operator:
            assert any(row.serves({feed.entity}, ()) for row in rights(feed.vendor, side)), feed.entity


def test_the_roles_of_mirakl_are_those_of_its_specification() -> None:
    """Each role exists, and each opens the calls of the feeds that the table gives it for."""
    content = json.loads((contracts_folder() / "contract.json").read_text("utf-8"))
    roles = {call["id"]: set(call.get("roles") or ()) for call in content["endpoints"] if call["audience"] == "seller"}
    known = set().union(*roles.values())
    for row in rights("mirakl", "SELLER"):
        assert row.right in known, row.right
        for entity in row.feeds & set(ENDPOINTS):
            assert row.right in roles[ENDPOINTS[entity].call.name], (row.right, entity)
        if row.shown_by:
            assert row.right in roles[row.shown_by], row.right


def test_what_a_right_is_not_needed_for_is_said_by_its_absence() -> None:
    (journal,) = [row for row in all_rights() if row.right == "TRAN_JOURNAL"]
    assert journal.serves({"gl_lines"}, {"SALES_ORDER"}) == []
    assert journal.serves((), {"JOURNAL", "SALES_ORDER"}) == ["JOURNAL"]
