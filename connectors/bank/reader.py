"""Reads an account's statement files from any storage that fsspec can address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import fsspec

from connectors.bank.accounts import is_same_account, normal
from connectors.bank.camt053 import read_camt053
from connectors.bank.continuity import Continuity
from connectors.bank.csv import CsvProfile, LandedCsv, file_text, read_csv
from connectors.bank.decode import ENTITY, FEEDS, VENDOR
from connectors.bank.entries import StatementFile
from connectors.bank.formats import format_of
from connectors.bank.mt940 import read_mt940
from connectors.bank.ofx import read_ofx
from connectors.decoding import record_hash
from connectors.errors import BadPayload
from connectors.records import CheckResult, FeedSpec, Page, Window

MAXIMUM_FILE_BYTES = 256 * 1024 * 1024
_READERS = {"camt053": read_camt053, "mt940": read_mt940, "ofx": read_ofx}


def _now() -> datetime:
    return datetime.now(UTC)


class _Unreadable(BadPayload):
    """A file that belongs to nobody else, but cannot be read. `body` is what is landed of it."""

    def __init__(self, message: str, body: bytes, detail: str | None = None) -> None:
        super().__init__(message, vendor=VENDOR, call=ENTITY, detail=detail)
        self.body = body


class BankStatementReader:
    """One bank account's statement files as pages: one file, one page.

    `statement_path` is an fsspec path with wildcards. `iban` is the account that the files must belong to ("" checks
    nothing); `currency` the one that its statements must be in ("" checks nothing), which also serves CSV files without
    a currency column; `csv_profile` explains CSV files and may be None where there are none.

    With `land_malformed` a file that cannot be read is a page too, of one record: it is landed as evidence and goes to
    quarantine whole when it is loaded. Without, it is only named in the BadPayload at the end.
    """

    vendor = VENDOR

    def __init__(
        self,
        account: str,
        statement_path: str,
        iban: str = "",
        csv_profile: CsvProfile | None = None,
        *,
        currency: str = "",
        land_malformed: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.account = account
        self.statement_path = statement_path
        self.iban = normal(iban)
        self.csv_profile = csv_profile
        self.currency = currency
        self.land_malformed = land_malformed
        self._clock = clock

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        return FEEDS

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        """Every file in the order of names; the window is not looked at, because a bank may deliver late.

        A file that cannot be read does not hide the others: they come first, then BadPayload names every bad file.
        """
        if entity != ENTITY:
            raise KeyError(f"a bank account has no feed {entity!r}")
        problems: list[BadPayload] = []
        number = 0
        for system, path in self._files():
            try:
                body, statement = self._read(system, path)
                hashes = tuple(statement.hashes)
            except _Unreadable as error:
                if not self.land_malformed:
                    problems.append(error)
                    continue
                body, hashes = error.body, (record_hash(error.body),)
            except BadPayload as error:
                problems.append(error)
                continue
            number += 1
            yield Page(
                entity=entity,
                number=number,
                body=body,
                url=PurePosixPath(path).name,
                status=200,
                fetched_at=self._clock(),
                record_count=len(hashes),
                record_hashes=hashes,
                declared_count=None,
                cursor=None,
            )
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise BadPayload("; ".join(p.message for p in problems), vendor=VENDOR, call=ENTITY)

    def check(self) -> list[CheckResult]:
        """Whether the path finds files, each of them can be read and is this account's, and no statement is missing
        between them.
        """
        results = []
        continuity = Continuity()
        try:
            files = list(self._files())
        except (OSError, ValueError, ImportError) as error:
            action = "correct statement_path in bank_accounts.csv or give this user read access"
            return [CheckResult(f"{self.account}: statement files", False, f"{type(error).__name__}: {error}", action)]
        if not files:
            action = "put the bank's statement files there, or correct statement_path in bank_accounts.csv"
            return [CheckResult(f"{self.account}: statement files", False, "the path finds no file", action)]
        for system, path in files:
            name = f"{self.account}: {PurePosixPath(path).name}"
            try:
                _, statement = self._read(system, path)
            except BadPayload as error:
                results.append(
                    CheckResult(name, False, error.message, "see the message; the other files are read all the same")
                )
                continue
            continuity.add(PurePosixPath(path).name, statement)
            rejects = statement.decoded().rejects
            detail = f"{len(statement.entries)} entries"
            if rejects:
                detail += f", {len(rejects)} refused, the first at {rejects[0].field}: {rejects[0].reason}"
            results.append(CheckResult(name, not rejects, detail, "ask the bank for a correct file" if rejects else ""))
        return results + self._proof(continuity)

    def _proof(self, continuity: Continuity) -> list[CheckResult]:
        proved, gaps = continuity.proof()
        name = f"{self.account}: balances of consecutive statements"
        action = "ask the bank for the statement between the two, or for a correct one"
        results = [CheckResult(name, False, str(gap), action) for gap in gaps]
        if proved and not gaps:
            results.append(CheckResult(name, True, f"{proved} statements open with the balance before them"))
        action = "ask the bank for references that it uses once: the newer entry takes the place of the older one"
        name = f"{self.account}: references of entries"
        return results + [CheckResult(name, False, str(reused), action) for reused in continuity.reused]

    def _files(self) -> Iterator[tuple[Any, str]]:
        system, pattern = fsspec.core.url_to_fs(self.statement_path)
        for path in sorted(system.glob(pattern)):
            name = PurePosixPath(str(path)).name
            # A leading dot or a trailing .part is a delivery still being written.
            if system.isfile(path) and not name.startswith(".") and not name.endswith((".part", ".tmp")):
                yield system, str(path)

    def _read(self, system: Any, path: str) -> tuple[bytes, StatementFile]:
        """The page's body and what stands in it. Raises BadPayload that names the file."""
        name = PurePosixPath(path).name
        try:
            if (system.size(path) or 0) > MAXIMUM_FILE_BYTES:
                raise self._bad(name, f"larger than {MAXIMUM_FILE_BYTES >> 20} MiB: split the statement by month")
            content: bytes = system.cat_file(path)
        except OSError as error:
            raise self._bad(name, f"cannot be read ({type(error).__name__}): check the file's permissions") from error
        body = content
        try:
            if not content.strip():
                raise BadPayload("empty file: fetch it again from the bank", vendor=VENDOR, call=ENTITY)
            kind = format_of(content)
            if kind != "csv":
                statement = _READERS[kind](content)
            elif self.csv_profile is None:
                raise BadPayload(
                    "neither CAMT.053, MT940 nor OFX, and the account has no CSV profile: "
                    "set csv_profile in bank_accounts.csv",
                    vendor=VENDOR,
                    call=ENTITY,
                )
            else:
                landed = LandedCsv(
                    file_name=name,
                    account=self.account,
                    iban=self.iban,
                    currency=self.currency,
                    profile=self.csv_profile,
                    content=file_text(content),
                )
                body = landed.body()
                statement = read_csv(landed)
        except BadPayload as error:
            raise _Unreadable(f"{name}: {error.message}", body, error.detail) from error
        self._refuse_other_accounts(name, statement)
        return body, statement

    def _refuse_other_accounts(self, name: str, statement: StatementFile) -> None:
        for _, header in statement.statements:
            stated = normal(header.iban or "")
            if self.iban and stated and not is_same_account(self.iban, stated):
                raise self._bad(
                    name,
                    f"statement of account …{stated[-4:]}, but {self.account} is …{self.iban[-4:]}: "
                    "move the file or correct iban in bank_accounts.csv",
                )
            if self.currency and header.currency and header.currency.upper() != self.currency.upper():
                raise self._bad(
                    name,
                    f"statement in {header.currency}, but {self.account} is in {self.currency}: "
                    "move the file or correct currency_code in bank_accounts.csv",
                )

    @staticmethod
    def _bad(name: str, message: str, detail: str | None = None) -> BadPayload:
        return BadPayload(f"{name}: {message}", vendor=VENDOR, call=ENTITY, detail=detail)
