"""The bank: receipts of the pay-outs among other people's money, and the statements that tell of them.

CAMT.053.001.02 for every whole month, and a CSV export for the newest days, which overlaps the last two days of the
last month: the same entries, with the same ids, in both.
"""

import random
from datetime import date, timedelta
from xml.sax.saxutils import escape

from sandbox.world.business import Business
from sandbox.world.catalogue import CURRENCY
from sandbox.world.model import BankEntry, Cycle, StatementFile
from sandbox.world.money import pounds
from sandbox.world.stamps import london_date

CSV_COLUMNS = (
    "Entry reference",
    "Booking date",
    "Value date",
    "Amount",
    "Currency",
    "Counterparty",
    "Counterparty account",
    "Reference",
    "End to end id",
    "Type",
    "Balance",
)
"""Layout of the CSV export: dates dd/mm/yyyy, signed amount with a decimal point, balance after the entry."""

OPENING_BALANCE = 1_843_217
BANK_FEE = 650
CSV_OVERLAP_DAYS = 2
WINDOW_DAYS = 7
"""How long after the pay-out a receipt may take."""


def receipts(business: Business, cycles: list[Cycle], last: int) -> list[BankEntry]:
    """The entries by which the pay-outs arrive. The newest pay-out is still on its way, unless its time is up."""
    day = {cycle.index: london_date(cycle.paid_at) for cycle in cycles if cycle.paid_at is not None}
    first, second, third, fourth, _, sixth, _, eighth, ninth = cycles

    def receipt(when: date, amount: int, text: str, end_to_end: str, *paid: Cycle) -> BankEntry:
        return BankEntry(
            day=when,
            amount=amount,
            name=business.payer,
            remittance=text,
            end_to_end=end_to_end,
            code="TRF",
            account=business.payer_account,
            cycles=paid,
            is_from_marketplace=True,
        )

    sender = business.end_to_end
    half = third.payout // 2
    found = [
        # Two pay-outs in one receipt (BNK-005): the first was confirmed late.
        receipt(
            day[1] + timedelta(days=1),
            first.payout + second.payout,
            f"PAYOUTS {first.voucher} {second.voucher}",
            f"{sender}{first.voucher}{second.voucher}",
            first,
            second,
        ),
        # One pay-out in two receipts (BNK-006).
        receipt(
            day[2] + timedelta(days=1),
            half,
            f"PAYOUT {third.voucher} 1/2",
            f"{sender}{third.voucher}1",
            third,
        ),
        receipt(
            day[2] + timedelta(days=2),
            third.payout - half,
            f"PAYOUT {third.voucher} 2/2",
            f"{sender}{third.voucher}2",
            third,
        ),
        # Exact, with the voucher.
        receipt(
            day[3] + timedelta(days=1),
            fourth.payout,
            f"PAYOUT {fourth.voucher}",
            f"{sender}{fourth.voucher}",
            fourth,
        ),
        # Short by what a bank on the way kept (BNK-002), without a reference.
        receipt(day[5] + timedelta(days=1), sixth.payout - BANK_FEE, "MARKETPLACE SETTLEMENT", "NOTPROVIDED", sixth),
        # Exact, without a reference, on the last day of the window; pays for two cycles.
        receipt(day[7] + timedelta(days=WINDOW_DAYS), eighth.payout, "MARKETPLACE SETTLEMENT", "NOTPROVIDED", eighth),
    ]
    if day[8] + timedelta(days=WINDOW_DAYS) < london_date(last):
        found.append(
            receipt(
                day[8] + timedelta(days=1),
                ninth.payout,
                f"PAYOUT {ninth.voucher}",
                f"{sender}{ninth.voucher}",
                ninth,
            )
        )
    return [entry for entry in found if entry.day <= london_date(last)]


def background(business: Business, rng: random.Random, start: date, end: date) -> list[BankEntry]:
    """Entries that have nothing to do with the marketplace: rent, carriers, wages, trade customers."""
    found: list[BankEntry] = []
    day = start
    while day <= end:
        if day.weekday() < 5:
            if day.day <= 7 and day.weekday() == 1:
                found.append(BankEntry(day, -245_000, "Fictional Estates Ltd", "RENT UNIT 7", f"RENT{day:%y%m}", "DDT"))
            if day.weekday() == 4:
                found.append(
                    BankEntry(
                        day,
                        -rng.randrange(18_000, 62_000),
                        "Pretend Parcels Ltd",
                        f"CARRIAGE WEEK {day.isocalendar().week}",
                        f"PP{day:%y%m%d}",
                        "DDT",
                    )
                )
            for customer in business.customers:
                if rng.random() < 0.11:
                    number = rng.randrange(10_000, 99_999)
                    found.append(
                        BankEntry(
                            day,
                            rng.randrange(4_000, 190_000),
                            customer.name,
                            f"INV {number}",
                            f"{customer.reference}{number}",
                            "TRF",
                            customer.account,
                            customer=customer.reference,
                        )
                    )
        day += timedelta(days=1)
    return found


def number_entries(entries: list[BankEntry]) -> None:
    """Sorts by date and gives every entry its bank reference. Equal dates keep the order they came in."""
    entries.sort(key=lambda entry: entry.day)
    for number, entry in enumerate(entries, start=1):
        if not entry.reference:
            entry.reference = f"BK{entry.day:%y%m%d}{number:05d}"


def receipt_id(account: str, entry: BankEntry) -> str:
    return f"{account}-{entry.reference}"


def statements(business: Business, entries: list[BankEntry], start: date, end: date) -> list[StatementFile]:
    """One CAMT file per whole month from `start`, then the CSV up to `end`. `entries` are sorted and numbered."""
    files: list[StatementFile] = []
    balance = OPENING_BALANCE
    first = start
    while True:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = next_month - timedelta(days=1)
        if last > end:
            break
        month = [entry for entry in entries if first <= entry.day <= last]
        closing = balance + sum(entry.amount for entry in month)
        files.append(_camt(business, first, last, balance, closing, month))
        balance, first = closing, next_month
    newest = first - timedelta(days=CSV_OVERLAP_DAYS)
    export = [entry for entry in entries if newest <= entry.day <= end]
    opening = OPENING_BALANCE + sum(entry.amount for entry in entries if entry.day < newest)
    files.append(_csv(business, newest, end, opening, export))
    return files


def _camt(
    business: Business, first: date, last: date, opening: int, closing: int, entries: list[BankEntry]
) -> StatementFile:
    iban = business.iban
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">\n'
        "<BkToCstmrStmt>\n"
        f"<GrpHdr><MsgId>STMT{last:%Y%m%d}</MsgId><CreDtTm>{last + timedelta(days=1)}T04:30:00Z</CreDtTm></GrpHdr>\n"
        "<Stmt>\n"
        f"<Id>{iban[-8:]}-{first:%Y-%m}</Id><ElctrncSeqNb>{first.month}</ElctrncSeqNb>"
        f"<CreDtTm>{last + timedelta(days=1)}T04:30:00Z</CreDtTm>"
        f"<FrToDt><FrDtTm>{first}T00:00:00Z</FrDtTm><ToDtTm>{last}T23:59:59Z</ToDtTm></FrToDt>\n"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{CURRENCY}</Ccy><Ownr><Nm>{business.shop.corporate_name}</Nm></Ownr></Acct>\n"
    )
    parts = [
        head,
        _camt_balance("OPBD", opening, first),
        _camt_balance("CLBD", closing, last),
        *(_camt_entry(entry) for entry in entries),
        "</Stmt>\n</BkToCstmrStmt>\n</Document>\n",
    ]
    return StatementFile(f"{iban[-8:]}-{first:%Y-%m}.camt053.xml", "".join(parts).encode(), business.bank_account)


def _camt_balance(code: str, amount: int, day: date) -> str:
    side = "CRDT" if amount >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{CURRENCY}">{pounds(abs(amount))}</Amt><CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n'
    )


def _camt_sent(entry: BankEntry) -> str:
    if entry.sent is None:
        return ""
    amount, currency = entry.sent
    return f'<InstdAmt><Amt Ccy="{currency}">{pounds(amount)}</Amt></InstdAmt>'


def _camt_entry(entry: BankEntry) -> str:
    incoming = entry.amount >= 0
    side = "CRDT" if incoming else "DBIT"
    party = "Dbtr" if incoming else "Cdtr"
    account = f"<{party}Acct><Id><IBAN>{entry.account}</IBAN></Id></{party}Acct>" if entry.account else ""
    amount = pounds(abs(entry.amount))
    family = "RCDT" if incoming else "ICDT"
    return (
        f'<Ntry><Amt Ccy="{CURRENCY}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{entry.reference}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>OTHR</SubFmlyCd></Fmly></Domn>"
        f"<Prtry><Cd>{entry.code}</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(entry.end_to_end)}</EndToEndId></Refs>"
        f'<AmtDtls>{_camt_sent(entry)}<TxAmt><Amt Ccy="{CURRENCY}">{amount}</Amt></TxAmt></AmtDtls>'
        f"<RltdPties><{party}><Nm>{escape(entry.name)}</Nm></{party}>{account}</RltdPties>"
        f"<RmtInf><Ustrd>{escape(entry.remittance)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )


def _csv(business: Business, first: date, last: date, opening: int, entries: list[BankEntry]) -> StatementFile:
    rows = [",".join(CSV_COLUMNS)]
    balance = opening
    for entry in entries:
        balance += entry.amount
        day = f"{entry.day:%d/%m/%Y}"
        end_to_end = "" if entry.end_to_end == "NOTPROVIDED" else entry.end_to_end
        rows.append(
            ",".join(
                (
                    entry.reference,
                    day,
                    day,
                    str(pounds(entry.amount)),
                    CURRENCY,
                    f'"{entry.name}"',
                    entry.account,
                    f'"{entry.remittance}"',
                    end_to_end,
                    entry.code,
                    str(pounds(balance)),
                )
            )
        )
    name = f"{business.iban[-8:]}-{first:%Y%m%d}-{last:%Y%m%d}.csv"
    return StatementFile(name, ("\n".join(rows) + "\n").encode(), business.bank_account)
