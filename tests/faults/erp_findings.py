"""The fault table of the ERPs, their books: what is read as it stands and named as a finding, by dbt's unit tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One row. `proved_by` is the unit test of dbt that expects the code."""

    bad_input: str
    what_happens: str
    code: str
    proved_by: str


_STOCK = "each_stock_rule_has_its_match_its_tolerance_and_its_exception"
_OFFERS = "each_offer_rule_has_its_match_its_timing_and_its_exception"
_JOURNALS = "a_journal_that_a_shut_period_keeps_out_is_told_apart_from_a_missing_one"
FINDINGS = (
    Finding("negative stock", "read as it is; the marketplace is offered nothing of it", "STK-007", _STOCK),
    Finding("a discontinued item that is still on sale", "it is offered no more", "STK-003", _STOCK),
    Finding("a warehouse that the configuration does not know", "its stock is not offered", "STK-004", _STOCK),
    Finding("one item under two offers", "nobody guesses which of them has the stock", "OFR-002", _OFFERS),
    Finding("a journal whose period is closed by now", "it stays here until a period is open", "JNL-010", _JOURNALS),
)
