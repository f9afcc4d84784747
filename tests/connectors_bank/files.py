"""Statement files as banks write them, built from the lines that a test cares about."""

from __future__ import annotations

from typing import Any

from connectors.records import Decoded

IBAN = "GB33BUKB20201555555555"


def rows(decoded: Decoded) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = decoded.tables["bank_statement_entries"].to_pylist()
    return found


def headers(decoded: Decoded) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = decoded.tables["bank_statements"].to_pylist()
    return found


def mt940(
    *lines: str,
    opening: str = "C260531GBP1000,00",
    closing: str = "C260630GBP1000,00",
    account: str = IBAN,
    number: str = "6/1",
) -> str:
    """One statement. `lines` are `:61:` and `:86:` fields as they are."""
    return "\r\n".join(
        [":20:STARTUMS", f":25:{account}", f":28C:{number}", f":60F:{opening}", *lines, f":62F:{closing}", "-", ""]
    )


def transaction(
    amount: str = "-12.50",
    fitid: str | None = "F1",
    posted: str = "20260612120000.000[-5:EST]",
    extra: str = "<NAME>Landlord</NAME><MEMO>Rent</MEMO>",
) -> str:
    reference = "" if fitid is None else f"<FITID>{fitid}</FITID>"
    posting = f"<DTPOSTED>{posted}</DTPOSTED>" if posted else ""
    return f"<STMTTRN><TRNTYPE>DEBIT</TRNTYPE>{posting}<TRNAMT>{amount}</TRNAMT>{reference}{extra}</STMTTRN>"


def ofx2(
    *transactions: str,
    balance: str = "987.50",
    as_of: str = "20260630",
    start: str = "20260601",
    end: str = "20260630",
    account: str = "55555555",
    bank: str = "202015",
    currency: str = "GBP",
) -> bytes:
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
            '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>',
            "<OFX><BANKMSGSRSV1><STMTTRNRS><TRNUID>1</TRNUID><STATUS><CODE>0</CODE></STATUS><STMTRS>",
            f"<CURDEF>{currency}</CURDEF>",
            f"<BANKACCTFROM><BANKID>{bank}</BANKID><ACCTID>{account}</ACCTID></BANKACCTFROM>",
            f"<BANKTRANLIST><DTSTART>{start}</DTSTART><DTEND>{end}</DTEND>",
            *transactions,
            "</BANKTRANLIST>",
            f"<LEDGERBAL><BALAMT>{balance}</BALAMT><DTASOF>{as_of}</DTASOF></LEDGERBAL>",
            "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>",
        ]
    ).encode()


OFX1 = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX>
<BANKMSGSRSV1>
<STMTTRNRS>
<STATUS>
<CODE>0
<SEVERITY>INFO
</STATUS>
<STMTRS>
<CURDEF>GBP
<BANKACCTFROM>
<BANKID>202015
<ACCTID>55555555
</BANKACCTFROM>
<BANKTRANLIST>
<DTSTART>20260601
<DTEND>20260630
<STMTTRN>
<TRNTYPE>CREDIT
<DTPOSTED>20260612
<TRNAMT>1234.50
<FITID>F1
<NAME>M&S &amp; Café
<CHECKNUM>
<MEMO>PAYOUT 7
</STMTTRN>
</BANKTRANLIST>
<LEDGERBAL>
<BALAMT>2234.50
<DTASOF>20260630
</LEDGERBAL>
</STMTRS>
</STMTTRNRS>
</BANKMSGSRSV1>
</OFX>
"""
