"""What was posted: nominal, sales ledger and cash book, and the accounts with their balances."""

from decimal import Decimal
from typing import Any

from sandbox.world.business import Business
from sandbox.world.currencies import in_pounds, inverse
from sandbox.world.erp import ACCOUNTS, BANK, CLEARING, base_legs
from sandbox.world.model import Posting
from sandbox.world.money import pounds
from sandbox.world.sage.ids import (
    BANK_IDS,
    CREATED,
    CREDITORS_CONTROL,
    CURRENCY_IDS,
    NIL,
    NOMINAL_IDS,
    period_id,
)
from sandbox.world.stamps import calendar_date, iso_trimmed, london_date

_SL_TYPES = {
    "INVOICE": "TradingAccountEntryTypeInvoice",
    "CREDIT_NOTE": "TradingAccountEntryTypeCreditNote",
    "RECEIPT": "TradingAccountEntryTypePurchasePaymentSalesReceipt",
    "PAYMENT": "TradingAccountEntryTypePurchaseReceiptSalesPayment",
}
_LEDGERS = {
    "ORDERS": "LedgerSOP",
    "SALES": "LedgerSales",
    "CASH_BOOK": "LedgerCashBook",
    "NOMINAL": "LedgerNominal",
    "STOCK": "LedgerStockControl",
}
_BANK_TYPES = {
    "RECEIPT": "Receipt",
    "PAYMENT": "Payment",
    "BANK_RECEIPT": "Receipt",
    "BANK_PAYMENT": "Payment",
    "BANK_TRANSFER": "Transfer",
}


def posted(
    postings: list[Posting], customers: dict[str, int], year: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Nominal legs, sales ledger rows and cash-book rows of every posting, each with ids in order of posting."""
    nominal: list[dict[str, Any]] = []
    sales: list[dict[str, Any]] = []
    bank: list[dict[str, Any]] = []
    for posting in postings:
        day = calendar_date(posting.day)
        posted = calendar_date(london_date(posting.at))
        stamp = iso_trimmed(posting.at)
        for account, amount in base_legs(posting):
            nominal.append(
                {
                    "id": 600_001 + len(nominal),
                    "nominal_code_id": NOMINAL_IDS[account],
                    "transaction_date": day,
                    "period_number": posting.day.month,
                    "accounting_period_id": period_id(posting.day),
                    "financial_year_id": posting.day.year - 2000,
                    "year_relative_to_current_year": posting.day.year - year,
                    "reference": posting.reference,
                    "narrative": _narrative(posting),
                    "transaction_analysis_code": "",
                    "debit": pounds(amount) if amount > 0 else NIL,
                    "credit": pounds(-amount) if amount < 0 else NIL,
                    "user_name": posting.user,
                    "source": _LEDGERS[posting.ledger],
                    "urn": posting.number,
                }
            )
        if posting.kind in _SL_TYPES:
            sales.append(_sales_row(posting, customers, 820_001 + len(sales), day, posted, stamp))
        for account, amount in posting.banks:
            bank.append(
                {
                    "id": 410_001 + len(bank),
                    "bank_id": BANK_IDS[account],
                    "bank_transaction_type": _bank_type(posting, amount),
                    "entry_description": _narrative(posting)[:60],
                    "reference": posting.reference,
                    "second_reference": posting.second_reference,
                    "transaction_date": day,
                    "posted_date": posted,
                    "cheque_value": pounds(amount),
                    "cheque_currency_id": CURRENCY_IDS["GBP"],
                    "source": _LEDGERS[posting.ledger],
                    "statement_page_number": 0,
                    "urn": posting.number,
                    "user_name": posting.user,
                    "date_time_created": stamp,
                    "date_time_updated": stamp,
                }
            )
    return nominal, sales, bank


def _bank_type(posting: Posting, amount: int) -> str:
    """A payment that is taken back brings money in: a receipt, as the cash book tells the sign by the type."""
    is_taken_back = posting.kind == "BANK_PAYMENT" and amount > 0
    return "Receipt" if is_taken_back else _BANK_TYPES[posting.kind]


def _narrative(posting: Posting) -> str:
    """What Sage writes into the nominal ledger by itself where nobody types a narrative."""
    if posting.invoice_of is not None:
        return f"SOP invoice {posting.reference}"
    return f"SR / {posting.narrative}" if posting.kind == "RECEIPT" and not posting.journal_key else posting.narrative


def _sales_row(
    posting: Posting, customers: dict[str, int], id_: int, day: str, posted: str, stamp: str
) -> dict[str, Any]:
    goods, tax = pounds(posting.goods), pounds(posting.tax)
    gross = pounds(posting.goods + posting.tax)

    def base(amount: int) -> Decimal:
        return pounds(amount if posting.rate is None else in_pounds(amount, posting.rate))

    return {
        "id": id_,
        "customer_id": customers[posting.customer],
        "trader_transaction_type": _SL_TYPES[posting.kind],
        "reference": posting.reference,
        "second_reference": posting.second_reference,
        "queried": "",
        "transaction_date": day,
        "posted_date": posted,
        "due_date": day,
        "document_goods_value": goods,
        "document_gross_value": gross,
        "document_tax_value": tax,
        "document_discount_value": NIL,
        "document_allocated_value": NIL,
        "document_outstanding_value": gross,
        "base_goods_value": base(posting.goods),
        "base_gross_value": base(posting.goods + posting.tax),
        "base_tax_value": base(posting.tax),
        "base_allocated_value": NIL,
        "control_value_in_base_currency": base(posting.goods + posting.tax),
        "exchange_rate": Decimal("1.000000") if posting.rate is None else inverse(posting.rate),
        "settled_immediately": False,
        "urn": posting.number,
        "user_name": posting.user,
        "date_time_created": stamp,
        "date_time_updated": stamp,
    }


def nominal_codes(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
    debit: dict[str, int] = {}
    credit: dict[str, int] = {}
    for posting in postings:
        for account, amount in base_legs(posting):
            side = debit if amount > 0 else credit
            side[account] = side.get(account, 0) + abs(amount)
    return [
        {
            "id": NOMINAL_IDS.get(reference, CREDITORS_CONTROL[2]),
            "reference": reference,
            "cost_centre_code": "",
            "department_code": "",
            "name": business.clearing_name if reference == CLEARING else name,
            "nominal_account_type": "NominalAccountTypeBalanceSheet"
            if reference < "4"
            else "NominalAccountTypeProfitAndLoss",
            "account_status_type": "AccountStatusActive",
            "allow_manual_journal_entries": reference not in ("1100", "2100", "2200", "2201"),
            "use_batch_postings": False,
            "balance_year_to_date": pounds(debit.get(reference, 0) - credit.get(reference, 0)),
            "debit_balance_year_to_date": pounds(debit.get(reference, 0)),
            "credit_balance_year_to_date": pounds(credit.get(reference, 0)),
            "brought_forward_balance": NIL,
            "date_time_created": CREATED,
            "date_time_updated": CREATED,
        }
        for reference, name in (*ACCOUNTS, CREDITORS_CONTROL[:2])
    ]


def banks(business: Business, postings: list[Posting]) -> list[dict[str, Any]]:
    balances: dict[str, int] = {}
    for posting in postings:
        for account, amount in posting.banks:
            balances[account] = balances.get(account, 0) + amount
    found = []
    for code, name, nominal in (
        ("BANK", "Bank current account", BANK),
        (business.customer, f"{business.marketplace} clearing", CLEARING),
    ):
        balance = pounds(balances.get(nominal, 0))
        found.append(
            {
                "id": BANK_IDS[nominal],
                "code": code,
                "description": name,
                "account_type": "BankAccountTypeCurrent",
                "account_status_type": "AccountStatusActive",
                "account_name": business.shop.corporate_name,
                "iban": business.iban if nominal == BANK else "",
                "balance": balance,
                "balance_in_base": balance,
                "account_currency_id": CURRENCY_IDS["GBP"],
                "bank_account_nominal_reference": nominal,
                "bank_account_nominal_cost_centre": "",
                "bank_account_nominal_department": "",
                "date_time_created": CREATED,
                "date_time_updated": CREATED,
            }
        )
    return found
