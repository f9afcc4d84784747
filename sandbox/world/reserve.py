"""Further bank accounts of one seller: sweeps and interest, told as MT940 every half month and as OFX for the newest
days, which overlap the last half month. No pay-out is due here, and the books do not keep them.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.world.bank import receipt_id
from sandbox.world.business import Business, coded
from sandbox.world.model import BankEntry, StatementFile
from sandbox.world.money import pounds

ACCOUNT, IBAN = "BARC_RES", "GB38BUKB20201577777777"
DEPOSIT_ACCOUNT, DEPOSIT_IBAN = "BARC_DEP", "GB54BUKB20201588888888"
CURRENCY = "GBP"
OPENING_BALANCE = 4_250_000
OVERLAP_DAYS = 2


@dataclass(eq=False)
class Reserve:
    """The account from `start` to `end`, both inclusive. `left_out` is the half month whose statement never came."""

    start: date
    end: date
    entries: list[BankEntry] = field(default_factory=list)
    left_out: date | None = None
    account: str = ACCOUNT
    iban: str = IBAN

    @property
    def halves(self) -> list[tuple[date, date]]:
        """First and last day of every half month that is over."""
        found: list[tuple[date, date]] = []
        first = self.start
        while True:
            month_end = (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            last = first.replace(day=15) if first.day <= 15 else month_end
            if last > self.end:
                return found
            found.append((first, last))
            first = last + timedelta(days=1)

    @property
    def newest(self) -> date:
        """First day of the export of the newest days."""
        return self.halves[-1][1] - timedelta(days=OVERLAP_DAYS - 1)

    def within(self, first: date, last: date) -> list[BankEntry]:
        return [entry for entry in self.entries if first <= entry.day <= last]

    def entry(self, day: date, amount: int, name: str, text: str, reference: str = "", account: str = "") -> BankEntry:
        added = BankEntry(day, amount, name, text, "NOTPROVIDED", "TRF", account, reference)
        self.entries.append(added)
        return added

    def subject(self, entry: BankEntry) -> str:
        return receipt_id(self.account, entry)

    def statement_of(self, number: int) -> str:
        """How the half month at this position is known: statement number, and the days of its two balances."""
        first, last = self.halves[number]
        return f"{self.account}-{number + 1}/1 {first - timedelta(days=1)} {last}"

    @property
    def newest_statement(self) -> str:
        return f"{self.account}-OFX {self.newest} {self.end}"

    def files(self) -> list[StatementFile]:
        """Sorts the entries, numbers those that have no reference yet, and writes what the bank has put down."""
        self.entries.sort(key=lambda entry: entry.day)
        for number, entry in enumerate(self.entries, start=1):
            if not entry.reference:
                entry.reference = f"RS{entry.day:%y%m%d}{number:04d}"
        found = []
        for number, (first, last) in enumerate(self.halves):
            if first != self.left_out:
                found.append(self._mt940(number, first, last))
        return [*found, self._ofx()]

    def _balance(self, day: date) -> int:
        """At the start of `day`."""
        return OPENING_BALANCE + sum(entry.amount for entry in self.entries if entry.day < day)

    def _mt940(self, number: int, first: date, last: date) -> StatementFile:
        before, after = first - timedelta(days=1), last + timedelta(days=1)
        lines = [
            f":20:{last:%Y%m%d}RES",
            f":25:{self.iban}",
            f":28C:{number + 1}/1",
            f":60F:C{before:%y%m%d}{CURRENCY}{_comma(self._balance(first))}",
        ]
        for entry in self.within(first, last):
            mark = "C" if entry.amount >= 0 else "D"
            lines += [
                f":61:{entry.day:%y%m%d%m%d}{mark}{_comma(abs(entry.amount))}NTRFNONREF//{entry.reference}",
                f":86:/NAME/{entry.name}/REMI/{entry.remittance}",
            ]
        lines += [f":62F:C{last:%y%m%d}{CURRENCY}{_comma(self._balance(after))}", "-", ""]
        return StatementFile(f"{self.iban[-8:]}-{first:%Y%m%d}.sta", "\r\n".join(lines).encode(), self.account)

    def _ofx(self) -> StatementFile:
        rows = [
            "<STMTTRN><TRNTYPE>OTHER</TRNTYPE>"
            f"<DTPOSTED>{entry.day:%Y%m%d}</DTPOSTED><TRNAMT>{pounds(entry.amount)}</TRNAMT>"
            f"<FITID>{entry.reference}</FITID><NAME>{entry.name}</NAME><MEMO>{entry.remittance}</MEMO></STMTTRN>"
            for entry in self.within(self.newest, self.end)
        ]
        text = "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
                '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>',
                "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>",
                f"<DTSERVER>{self.end:%Y%m%d}</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>",
                "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>",
                f"<STMTRS><CURDEF>{CURRENCY}</CURDEF><BANKACCTFROM><BANKID>{self.iban[8:14]}</BANKID>",
                f"<ACCTID>{self.iban[-8:]}</ACCTID><ACCTTYPE>SAVINGS</ACCTTYPE></BANKACCTFROM>",
                f"<BANKTRANLIST><DTSTART>{self.newest:%Y%m%d}</DTSTART><DTEND>{self.end:%Y%m%d}</DTEND>",
                *rows,
                f"</BANKTRANLIST><LEDGERBAL><BALAMT>{pounds(self._balance(self.end + timedelta(days=1)))}</BALAMT>",
                f"<DTASOF>{self.end:%Y%m%d}</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>",
                "",
            ]
        )
        return StatementFile(f"{self.iban[-8:]}-newest.ofx", text.encode(), self.account)


def build_deposit(business: Business, start: date, end: date) -> Reserve:
    """The same on a third account, of which the bank last wrote on `end`."""
    return _build(Reserve(start, end, account=coded(DEPOSIT_ACCOUNT, business.number), iban=DEPOSIT_IBAN))


def build_reserve(business: Business, start: date, end: date) -> Reserve:
    """The second account."""
    return _build(Reserve(start, end, account=coded(ACCOUNT, business.number)))


def _build(reserve: Reserve) -> Reserve:
    """Interest on the last day of every month, a sweep every Monday, and one on a day that two files tell of."""
    start, end = reserve.start, reserve.end
    day = start
    while day <= end:
        if day.weekday() == 0 or day == reserve.newest:
            reserve.entry(day, 125_000 + 100 * day.day, "UK Trade Supplies Ltd", f"SWEEP {day:%d%m}")
        if (day + timedelta(days=1)).day == 1:
            reserve.entry(day, 2_000 + 7 * day.month, "Interest", f"CREDIT INTEREST {day:%Y-%m}", f"INT{day:%y%m}")
        day += timedelta(days=1)
    return reserve


def _comma(amount: int) -> str:
    return f"{amount // 100},{amount % 100:02d}"
