"""What a company is set to, as far as it changes what its data mean. Read before anything else.

Sage publishes its settings as lists of one record. A member that a site does not give (an older version, a role that
may not see it) is None, which proves nothing either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec


class SystemSettings(msgspec.Struct, frozen=True):
    """`/system_settings`. With `update_nominal_online` off the sub-ledgers reach the nominal ledger later, in batches.

    `accounting_period_validation_type` says what becomes of a date outside the open periods: Acceptable, Unacceptable
    or UseAccrual.
    """

    next_urn: str | int | None = None
    number_open_periods: int | None = None
    update_nominal_online: bool | None = None
    use_period_exchange_rates: bool | None = None
    accounting_period_validation_type: str | None = None


class SopSettings(msgspec.Struct, frozen=True):
    """`/sop_settings`: what sales orders do to stock and ledgers."""

    auto_generate_order_return_numbers: bool | None = None
    order_line_item_type: str | None = None
    amend_analysis_codes: bool | None = None
    amend_header_analysis_codes: bool | None = None
    amend_nominal_codes: bool | None = None
    are_prices_tax_inclusive: bool | None = None
    allocate_stock_on_order_entry: bool | None = None
    update_stock_on_despatch: bool | None = None
    record_cancelled_order_lines: bool | None = None
    add_invoice_credit_note_to_sales_ledger: bool | None = None
    allow_payment_with_order: bool | None = None


class StockSettings(msgspec.Struct, frozen=True):
    """`/stock_settings`: whether stock reaches the nominal ledger at all."""

    integrate_stock_management_with_nominal: bool | None = None
    generate_cos_for_sop: bool | None = None


class SalesLedgerSettings(msgspec.Struct, frozen=True):
    """`/sales_ledger_settings`: how long posted transactions stay before they are archived, in months (0: for ever)."""

    auto_generate_account_numbers: bool | None = None
    keep_transactions_for: int | None = None
    archive_transaction_after_keeping: bool | None = None


class NominalLedgerSettings(msgspec.Struct, frozen=True):
    """`/nominal_ledger_settings`: whether nominal transactions are kept, and for how many months (0: for ever)."""

    keep_nominal_transactions: bool | None = None
    months_to_keep_transactions: int | None = None


class CashBookSettings(msgspec.Struct, frozen=True):
    """`/cash_book_settings`."""

    default_bank_account_id: int | None = None


@dataclass(frozen=True, slots=True)
class CompanySettings:
    """All of them. `unread` names the resources that the site refused, with the reason."""

    system: SystemSettings = field(default_factory=SystemSettings)
    sop: SopSettings = field(default_factory=SopSettings)
    stock: StockSettings = field(default_factory=StockSettings)
    sales_ledger: SalesLedgerSettings = field(default_factory=SalesLedgerSettings)
    nominal_ledger: NominalLedgerSettings = field(default_factory=NominalLedgerSettings)
    cash_book: CashBookSettings = field(default_factory=CashBookSettings)
    unread: Mapping[str, str] = field(default_factory=dict)


SETTINGS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "system_settings": ("system", SystemSettings),
    "sop_settings": ("sop", SopSettings),
    "stock_settings": ("stock", StockSettings),
    "sales_ledger_settings": ("sales_ledger", SalesLedgerSettings),
    "nominal_ledger_settings": ("nominal_ledger", NominalLedgerSettings),
    "cash_book_settings": ("cash_book", CashBookSettings),
}
"""Resource → member of CompanySettings and its type."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """A setting that makes Sage's data mean something else than a reader may think, and what to do about it."""

    setting: str
    meaning: str
    action: str


def consequences(settings: CompanySettings) -> list[Consequence]:
    """The settings of this company that a reconciliation must know of; nothing for what is unknown or as usual."""
    system, sop, stock = settings.system, settings.sop, settings.stock
    sales, nominal = settings.sales_ledger, settings.nominal_ledger
    found = [
        (
            system.update_nominal_online is False,
            "system_settings.update_nominal_online = false",
            "postings reach the nominal ledger in batches: journals stay SENT and balances lag until the batch has run",
            "post to the nominal ledger online, or run the batch before the close",
        ),
        (
            system.use_period_exchange_rates is True,
            "system_settings.use_period_exchange_rates = true",
            "the rates of periods decide, and the API shows the current rate only",
            "compare foreign currency in its own currency",
        ),
        (
            system.accounting_period_validation_type is not None
            and system.accounting_period_validation_type.endswith("UseAccrual"),
            f"system_settings.accounting_period_validation_type = {system.accounting_period_validation_type}",
            "a document dated outside the open periods is posted into another period, as an accrual",
            "post journals before their period is closed",
        ),
        (
            sop.are_prices_tax_inclusive is True,
            "sop_settings.are_prices_tax_inclusive = true",
            "selling_unit_price of order lines includes VAT; totals do not change their meaning",
            "compare orders by their totals; prices of new orders are sent with VAT",
        ),
        (
            sop.update_stock_on_despatch is False,
            "sop_settings.update_stock_on_despatch = false",
            "stock goes down when the invoice is posted, not at despatch: despatched goods still count as in stock",
            "raise the buffer of stock, or update stock on despatch",
        ),
        (
            sop.allocate_stock_on_order_entry is False,
            "sop_settings.allocate_stock_on_order_entry = false",
            "a new order does not reserve stock until somebody allocates it",
            "raise the buffer of stock, or allocate on order entry",
        ),
        (
            sop.add_invoice_credit_note_to_sales_ledger is False,
            "sop_settings.add_invoice_credit_note_to_sales_ledger = false",
            "invoices wait in a pending file: invoice_credit_quantity runs ahead of posted_invoice_credit_quantity",
            "update the sales ledger before a comparison of the control account",
        ),
        (
            sop.record_cancelled_order_lines is False,
            "sop_settings.record_cancelled_order_lines = false",
            "a line that is removed from an order leaves no trace",
            "record cancelled lines, so that a shortened order can be told from a wrong one",
        ),
        (
            stock.integrate_stock_management_with_nominal is False or stock.generate_cos_for_sop is False,
            "stock_settings.integrate_stock_management_with_nominal or generate_cos_for_sop = false",
            "no cost of sales is posted by orders (always so in Standard)",
            "take the cost of sales from items, not from the nominal ledger",
        ),
        (
            bool(sales.archive_transaction_after_keeping and sales.keep_transactions_for),
            f"sales_ledger_settings.keep_transactions_for = {sales.keep_transactions_for}",
            "settled transactions leave /sales_posted_transactions for the archive after so many months",
            "read the feed sales_historical_transactions too",
        ),
        (
            nominal.keep_nominal_transactions is False or bool(nominal.months_to_keep_transactions),
            f"nominal_ledger_settings: {_kept(nominal)}",
            "old nominal transactions are deleted in Sage; what was read before stays here",
            "read without long pauses, and compare balances by the feed nominal_period_values",
        ),
    ]
    return [Consequence(setting, meaning, action) for applies, setting, meaning, action in found if applies]


def _kept(nominal: NominalLedgerSettings) -> str:
    if nominal.keep_nominal_transactions is False:
        return "keep_nominal_transactions = false"
    return f"months_to_keep_transactions = {nominal.months_to_keep_transactions}"
