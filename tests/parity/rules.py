"""What cannot be equal between Sage 200 and NetSuite, in one place, each with its reason."""

from tests.parity.compare import Rule

EVERYWHERE = {
    "erp_code": "names the ERP",
}
"""Columns left out of every table."""
TABLES = {
    "ledger.int_ledger__prices": "each ERP names its lists itself; NetSuite tells no price of an inactive item; the "
    "prices that count are compared in rec_offers",
    "ledger.int_ledger__periods": "Sage 200 shows which periods there are, NetSuite also which of them are open",
}
"""Tables left out whole."""

_OWN_ID = "the vendor numbers its records itself"
_OWN_IDS = {"erp_document_id": "ids of what the ERP made of the journal: documents in one, a journal in the other"}
_DELIVERED = {"vendor_ids": _OWN_ID, "detail": "says in the vendor's words what was read back"}
_BANK_CODE = "NetSuite has no cash-book codes: a bank account goes by its number in the chart"
_ANALYSIS = "NetSuite has no analysis codes: there the map alone says them, in vat_support"
_VENDORS_OWN = '"(clearing_)?bank_code":"[^"]*"|,?"2":"MKP[^"]*"|"analysis_code":[^,]*,'
_SECONDS = "NetSuite keeps no fractions of a second"
_OWN_FEEDS = ("vendor not in ('sage200', 'netsuite')", "each ERP has feeds of its own")
_SPLIT = "one vendor splits into several documents or lines what the other keeps as one"
_EITHER = "case when vendor in ('sage200', 'netsuite') then 'the ERP' else {} end"


def _seconds(*columns: str) -> dict[str, tuple[str, str]]:
    return {column: (f"date_trunc('second', \"{column}\")", _SECONDS) for column in columns}


def _erp(*columns: str) -> dict[str, tuple[str, str]]:
    return {column: (_EITHER.format(column), "names the ERP") for column in columns}


RULES: dict[str, Rule] = {
    # -- Canonical ledger
    "ledger.int_ledger__accounts": Rule(reads=_erp("vendor", "account")),
    "ledger.int_ledger__controlled_amounts": Rule(only=_OWN_FEEDS),
    "ledger.int_ledger__feed_freshness": Rule(only=_OWN_FEEDS),
    "ledger.int_ledger__marketplaces": Rule(without={"clearing_bank_code": _BANK_CODE}),
    "ledger.int_ledger__receipts": Rule(without={"erp_bank_code": _BANK_CODE}),
    "ledger.int_ledger__outbox_actions": Rule(
        without=_DELIVERED,
        reads=_erp("vendor", "account")
        | {
            "payload": (
                f"regexp_replace(payload, '{_VENDORS_OWN}', '', 'g')",
                f"{_BANK_CODE}; {_ANALYSIS}",
            )
        },
    ),
    "ledger.int_ledger__exchange_rates": Rule(only=("rate_source <> 'ERP'", "each ERP keeps a rate table of its own")),
    "ledger.int_ledger__erp_orders": Rule(
        without={"erp_order_id": _OWN_ID},
        reads=_seconds("created_at", "updated_at"),
        only=("not is_draft", "a draft is an order in Sage 200, and an estimate in NetSuite: no order"),
    ),
    "ledger.int_ledger__erp_dispatches": Rule(
        without={"dispatch_line_id": _OWN_ID, "erp_order_id": _OWN_ID},
        reads=_seconds("saved_at"),
    ),
    "ledger.int_ledger__erp_order_lines": Rule(
        without={
            "erp_order_id": _OWN_ID,
            "erp_order_line_id": _OWN_ID,
            "line_number": "NetSuite counts the tax lines between the lines too",
            "vat_analysis_code": _ANALYSIS,
        },
        only=(
            'erp_order_id not in (select erp_order_id from "{side}.ledger.int_ledger__erp_orders" where is_draft)',
            "lines of drafts, as above",
        ),
    ),
    "ledger.int_ledger__erp_postings": Rule(
        without={
            "posting_id": _OWN_ID,
            "urn": _OWN_ID,
            "part_code": "tells apart the documents that Sage 200 needs for one journal",
            "narrative": "the vendor's own words",
            "debit": f"in net_amount: {_SPLIT}",
            "credit": f"in net_amount: {_SPLIT}",
        },
        sums=(("net_amount",), _SPLIT),
    ),
    "ledger.int_ledger__erp_bank_transactions": Rule(
        without={
            "posted_transaction_id": _OWN_ID,
            "urn": _OWN_ID,
            "bank_code": _BANK_CODE,
            "second_reference": "tells apart the documents that Sage 200 needs for one journal",
            "narrative": "the vendor's own words",
            "counterparty_name": "a cash-book entry of Sage 200 names nobody",
        },
        only=(
            "reference not like 'NJ%' and reference not like 'OB%'",
            "a nominal journal of Sage 200 passes the cash book by; in NetSuite the account is the cash book",
        ),
        sums=(("amount",), _SPLIT),
    ),
    "ledger.int_ledger__erp_customer_transactions": Rule(
        without={
            "posted_transaction_id": _OWN_ID,
            "urn": _OWN_ID,
        },
        reads={
            "kind": (
                "case when kind in ('RECEIPT', 'PAYMENT') then 'CASH' else kind end",
                "the receipts and the refunds of a settlement are one amount in a journal",
            ),
            "second_reference": (
                "case when kind = 'CREDIT_NOTE' then second_reference end",
                "an invoice names the ERP's order in one and the customer's in the other",
            ),
            "outstanding_amount": (
                "case when kind in ('INVOICE', 'CREDIT_NOTE') then outstanding_amount else 0 end",
                "of what was received, NetSuite does not tell on this table what is not set against anything",
            ),
        },
        sums=(("amount", "functional_amount", "goods_amount", "tax_amount", "outstanding_amount"), _SPLIT),
    ),
    # -- Marts
    "marts.actions": Rule(without=_DELIVERED, reads=_erp("vendor", "account")),
    "marts.control_totals": Rule(only=_OWN_FEEDS),
    "marts.cut_off_tests": Rule(
        reads={"document_no": ("case when test_code <> 'RECEIPTS' then document_no end", _OWN_ID)},
    ),
    "marts.freshness": Rule(only=_OWN_FEEDS),
    "marts.fct_order_lines": Rule(without={"erp_order_line_id": _OWN_ID}),
    "marts.journals": Rule(without=_OWN_IDS),
    "marts.journal_lines": Rule(without={"bank_code": _BANK_CODE, **_OWN_IDS}),
    "marts.close_readiness": Rule(
        reads={
            "evidence": (
                "regexp_replace(evidence, '^[0-9]+ of [0-9]+ feeds', 'feeds')",
                "each ERP has feeds of its own",
            ),
            "open_count": ("case when check_code <> '02_FEEDS' then open_count end", "each ERP has feeds of its own"),
        }
    ),
    "marts.rec_journals": Rule(
        without={"right_id": _OWN_IDS["erp_document_id"]},
        reads={
            "subject_id": ("case when rule_code = 'F030_ACCRUAL' then wire_key else subject_id end", _OWN_ID),
            "left_id": ("case when rule_code <> 'F030_ACCRUAL' then left_id end", _OWN_ID),
            "summary": ("regexp_replace(summary, '^Posting [0-9]+', 'Posting')", _OWN_ID),
        },
    ),
    "marts.rec_orders": Rule(
        reads=_seconds("due_at") | {"right_id": ("case when subject_type <> 'ORDER_LINE' then right_id end", _OWN_ID)}
    ),
    "marts.rec_offers": Rule(
        only=("status <> 'EXCLUDED'", "NetSuite tells no price of an inactive item, and nothing is judged of one"),
        reads=_seconds("due_at"),
    ),
    "marts.rec_dispatches": Rule(
        reads=_seconds("due_at")
        | {"right_id": ("case when subject_type <> 'DISPATCH_LINE' then right_id end", _OWN_ID)}
    ),
    "marts.rec_stock": Rule(only=("subject_type <> 'FEED'", "names the ERP's feed")),
}
"""By `schema.table`."""
