"""What is most often got wrong about Sage 200, where no other test shows it: through the connector and the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from connectors.delivery import Outcome
from connectors.errors import ConnectorError
from connectors.http import Call
from connectors.records import Window
from connectors.sage200 import endpoints
from connectors.sage200.decode import FEEDS
from tests.connectors_sage200.conftest import Site
from tests.connectors_sage200.test_orders import goods, items, order
from tests.connectors_sage200.test_postings import document
from tests.traps.conftest import Behave
from tests.traps.test_sage200_questions import rows

INVENTED = (
    "stock_items",
    "sales_orders",
    "bank_accounts",
    "nominal_transactions",
    "nominal_journals",
    "journals",
    "goods_received",
)
"""Paths that circulate in plans and connectors and that Sage never published."""


@pytest.mark.parametrize(
    ("gone", "words"),
    [({"sites": "none"}, "no site"), ({"tunnel_up": False}, "HTTP 504")],
)
def test_sage200_01_a_site_that_is_gone_is_told_from_a_bad_token(
    site: Site, behave: Behave, gone: dict[str, object], words: str
) -> None:
    behave(**gone)
    with pytest.raises(ConnectorError) as raised:
        list(site.connector.pages("tax_codes", Window()))
    assert words in str(raised.value)
    assert "sign in" not in str(raised.value)


def test_sage200_08_lines_come_expanded(site: Site) -> None:
    (page, *_) = site.connector.pages("sop_orders", Window())
    tables = FEEDS["sop_orders"].decoded(page.body, page.url).tables
    orders, lines = (tables[table.name].num_rows for table in FEEDS["sop_orders"].tables[:2])
    assert lines >= orders > 0


def test_sage200_14_codes_are_resolved_to_the_companys_ids(site: Site) -> None:
    (shown,) = site.deliver["BANK_PAYMENT"].preview([document("BANK_PAYMENT")])
    item = json.loads(shown.body)["nominal_analysis_items"][0]
    tax = site.one("tax_codes", code=1)
    assert tax["id"] != tax["code"]
    assert item["tax_code_id"] == tax["id"]
    assert (item["code"], item["cost_centre"], item["department"]) == ("6100", "", ""), "a nominal account is its texts"


@pytest.mark.parametrize("path", INVENTED)
def test_sage200_22_what_others_invented_is_neither_asked_nor_served(site: Site, path: str) -> None:
    asked = {resource.path.strip("/") for resource in endpoints.RESOURCES.values()}
    asked |= {call.name for call in vars(endpoints).values() if isinstance(call, Call)}
    assert path not in asked
    headers = {"X-Site": site.connector.site_id, "X-Company": site.connector.company_id}
    with pytest.raises(ConnectorError, match="HTTP 404"):
        site.connector.client.read(Call(path), f"/{path}", {}, lambda answer: answer.body, headers=headers)


def test_sage200_23_free_stock_is_stock_less_what_is_allocated(site: Site) -> None:
    holdings = list(rows(site, "warehouse_holdings"))
    free = [Decimal(row["free_stock_available"]) for row in holdings]
    held = [Decimal(row["quantity_in_stock"]) - Decimal(row["quantity_allocated"] or 0) for row in holdings]
    assert free == held
    assert min(free) < 0, "more can be allocated than there is"


def test_sage200_28_an_order_moves_no_ledger(site: Site) -> None:
    (first,) = items(site)[:1]
    tables = ("nominal_transaction_enquiry_views", "sales_posted_transactions", "bank_posted_transactions")
    before = [len(site.store.company[name].rows) for name in tables]
    assert site.send(order([goods(first["code"])]))[0].outcome is Outcome.SENT
    assert [len(site.store.company[name].rows) for name in tables] == before
