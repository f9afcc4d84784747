"""Secrets that change while the pipeline runs (rotated refresh tokens), kept in files only their owner can read."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,100}$")


class CredentialStore:
    """One file per secret in a folder with mode 0700; files have mode 0600 and are replaced in one step.

    A refresh token that was used is void, so a crash between using and storing would lock the company out: hold
    `lock` from before the exchange until after `write`, and let a second process read again once it has the lock.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> str | None:
        """The stored secret, None when there is none."""
        try:
            return self._path(name).read_text(encoding="utf-8") or None
        except FileNotFoundError:
            return None

    def write(self, name: str, value: str) -> None:
        """Replace the secret. When this returns, the new one is on the disk; before that the old one is."""
        path = self._path(name)
        self._prepare()
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=f".{name}.")  # mkstemp makes 0600 files
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_directory(self._directory)

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str, timeout_seconds: float = 60.0) -> Iterator[None]:
        """Only one process at a time exchanges this secret."""
        self._prepare()
        with FileLock(self._directory / f".{name}.lock", timeout=timeout_seconds):
            yield

    def _prepare(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o700)

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise ValueError(f"a credential's name may hold letters, digits, '_', '.', '-' only, not {name!r}")
        return self._directory / name


def sync_directory(directory: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
