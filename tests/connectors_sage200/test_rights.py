"""What doctor tells about the rights of the person whose consent a company is read with, over HTTP."""

from __future__ import annotations

from connectors.records import CheckResult
from connectors.rights import kinds_of
from connectors.sage200.rights import check_rights
from connectors.sage200.writes import deliveries
from tests.connectors_sage200.conftest import Site

EXTRA, MISSING, UNSEEN = (f"rights that {one}" for one in ("are not needed", "are missing", "cannot be asked for"))


def found(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.name.partition(": ")[2]: result for result in results}


def test_every_kind_of_write_names_its_rights(site: Site) -> None:
    assert kinds_of("sage200") == set(deliveries(site.connector, destinations_of=lambda *_: {}))


def test_permissions_for_sales_orders_are_compared_with_what_is_switched_on(site: Site) -> None:
    table = site.store.company["current_user_sop_user_permissions"]
    own = table.rows[0]
    before, settings = dict(own), site.store.company.settings
    try:
        own["override_credit_holds"] = own["generate_purchase_orders"] = True
        table.touch(own)
        shown = found(check_rights(site.connector, {"sop_orders"}, {"JOURNAL"}))
        extra = shown[EXTRA]
        assert (extra.ok, extra.is_warning) == (False, True)
        for right in ("override_credit_holds", "generate_purchase_orders", "override_prices_discounts", "/suppliers"):
            assert right in extra.detail
        assert "/bank_transfer" in shown[UNSEEN].detail
        assert "/sales_credit_notes" not in shown[UNSEEN].detail
        own |= {name: False for name in before if name.startswith("override")} | {"generate_purchase_orders": False}
        table.touch(own)
        settings.change("forbids", "suppliers")
        shown = found(check_rights(site.connector, {"sop_orders"}, {"SALES_ORDER", "PURCHASE_INVOICE"}))
        assert shown[EXTRA].ok
        assert shown[MISSING].detail == "override_prices_discounts (SALES_ORDER); read /suppliers (PURCHASE_INVOICE)"
    finally:
        own.clear()
        own.update(before)
        table.touch(own)
        settings.change("forbids", "")


def test_a_role_that_may_not_see_its_permissions_is_told_so(site: Site) -> None:
    settings = site.store.company.settings
    settings.change("forbids", "current_user_sop_user_permissions,suppliers")
    try:
        shown = found(check_rights(site.connector, {"sop_orders"}, ()))
    finally:
        settings.change("forbids", "")
    assert shown[EXTRA].ok
    assert "permissions for sales orders (" in shown[UNSEEN].detail
    assert "Needed: no feature at all" in shown[UNSEEN].detail
