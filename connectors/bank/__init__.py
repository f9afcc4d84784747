from connectors.bank.csv import CsvProfile
from connectors.bank.reader import BankStatementReader

__all__ = ["BankStatementReader", "CsvProfile"]
