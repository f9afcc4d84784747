"""Reads an account's statement files from any storage that fsspec can address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import fsspec

from connectors.bank.camt053 import is_xml, read_camt053
from connectors.bank.csv import CsvProfile, LandedCsv, file_text, read_csv
from connectors.bank.decode import ENTITY, FEEDS, VENDOR
from connectors.bank.entries import StatementFile
from connectors.errors import BadPayload
from connectors.records import CheckResult, FeedSpec, Page, Window

MAXIMUM_FILE_BYTES = 256 * 1024 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


class BankStatementReader:
    """One bank account's statement files as pages: one file, one page.

    `statement_path` is an fsspec path with wildcards. `iban` is the account that the files must belong to ("" checks
    nothing); `csv_profile` explains CSV files and may be None where all files are CAMT.053; `currency` serves CSV
    files without a currency column.
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
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.account = account
        self.statement_path = statement_path
        self.iban = "".join(iban.split()).upper()
        self.csv_profile = csv_profile
        self.currency = currency
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
                record_count=len(statement.entries),
                record_hashes=tuple(statement.hashes),
                declared_count=None,
                cursor=None,
            )
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise BadPayload("; ".join(p.message for p in problems), vendor=VENDOR, call=ENTITY)

    def check(self) -> list[CheckResult]:
        """Whether the path finds files and each of them can be read and is this account's."""
        results = []
        try:
            files = list(self._files())
        except (OSError, ValueError, ImportError) as error:
            action = "correct statement_path in bank_accounts.csv or give this user read access"
            return [CheckResult(f"{self.account}: statement files", False, f"{type(error).__name__}: {error}", action)]
        if not files:
            action = "put the bank's CAMT.053 or CSV files there, or correct statement_path in bank_accounts.csv"
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
            rejects = statement.decoded().rejects
            detail = f"{len(statement.entries)} entries"
            if rejects:
                detail += f", {len(rejects)} refused, the first at {rejects[0].field}: {rejects[0].reason}"
            results.append(CheckResult(name, not rejects, detail, "ask the bank for a correct file" if rejects else ""))
        return results

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
        try:
            if not content.strip():
                raise self._bad(name, "empty file: fetch it again from the bank")
            if is_xml(content):
                body, statement = content, read_camt053(content)
            elif self.csv_profile is None:
                raise self._bad(
                    name, "not XML, and the account has no CSV profile: set csv_profile in bank_accounts.csv"
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
                body, statement = landed.body(), read_csv(landed)
        except BadPayload as error:
            if error.message.startswith(name):
                raise
            raise self._bad(name, error.message, error.detail) from error
        self._refuse_other_accounts(name, statement)
        return body, statement

    def _refuse_other_accounts(self, name: str, statement: StatementFile) -> None:
        for _, header in statement.statements:
            iban = "".join((header.iban or "").split()).upper()
            if self.iban and iban and iban != self.iban:
                raise self._bad(
                    name,
                    f"statement of account …{iban[-4:]}, but {self.account} is …{self.iban[-4:]}: "
                    "move the file or correct iban in bank_accounts.csv",
                )

    @staticmethod
    def _bad(name: str, message: str, detail: str | None = None) -> BadPayload:
        return BadPayload(f"{name}: {message}", vendor=VENDOR, call=ENTITY, detail=detail)
