"""A general ledger that is a folder of CSV files: an ERP of somebody else's, in as little as one takes."""

from pathlib import Path

from csvledger.connector import FEEDS, CsvLedger
from csvledger.delivery import JournalDelivery

from connectors.erps import ErpVendor

CSVLEDGER = ErpVendor(
    name="csvledger",
    feeds=FEEDS,
    connect=CsvLedger,
    deliveries=lambda ledger: {"JOURNAL": JournalDelivery(ledger)},
    dbt_models=Path(__file__).parent / "models",
    ledger_models=("erp_postings", "erp_bank_transactions"),
    columns=("folder",),
)
