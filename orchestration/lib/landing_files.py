"""The landing folder: one compressed file for each page, written once and never changed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import fsspec
import zstandard

from orchestration.lib.files import sync_directory
from orchestration.lib.state import FeedKey

PREFIX = "landing/"
"""Start of every path in the manifest, wherever the landing folder really is."""

_BATCH_OF_NAME = re.compile(r"(\d{10})-\d{6}\.[a-z]+\.zst(\.part)?$")


class LandingFiles:
    """The landing folder, local or on any storage that fsspec addresses. Files are written once and never changed."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)
        self._decompressor = zstandard.ZstdDecompressor()
        self._is_local = "file" in _protocols(self._filesystem)

    def write(self, path: str, data: bytes) -> None:
        """Store `data` under a manifest path. When this returns, it is whole and durable; before that the name does
        not exist.
        """
        full = self._full(path)
        if self._is_local:
            target, temporary = Path(full), Path(f"{full}.part")
            # The folder is there but for the first page of a day: to ask each time took as long as to write.
            try:
                file = temporary.open("wb")
            except FileNotFoundError:
                self._make_private()
                target.parent.mkdir(parents=True, exist_ok=True)
                file = temporary.open("wb")
            with file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._publish(temporary, target)
            return
        # Object stores make an object visible only when it is whole.
        self._filesystem.pipe_file(full, data)

    def move_in(self, temporary: Path, path: str) -> None:
        """Store a finished local file under a manifest path."""
        full = self._full(path)
        if self._is_local:
            target = Path(full)
            self._make_private()
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            shutil.copyfile(temporary, part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            self._publish(part, target)
        else:
            self._filesystem.put_file(str(temporary), full)
        temporary.unlink()

    def _make_private(self) -> None:
        """Evidence holds personal data: nobody else on this machine may look in. One that is there stays as it is."""
        root = Path(self._root)
        if not root.exists():
            root.parent.mkdir(parents=True, exist_ok=True)
            root.mkdir(mode=0o700, exist_ok=True)

    @staticmethod
    def _publish(temporary: Path, target: Path) -> None:
        os.rename(temporary, target)
        sync_directory(target.parent)

    def read(self, path: str) -> bytes:
        """The body as received. Raises FileNotFoundError."""
        return self._decompressor.decompress(self.stored(path), max_output_size=1 << 31)

    def stored(self, path: str) -> bytes:
        """The file as it lies there, compressed. Raises FileNotFoundError."""
        full = self._full(path)
        data: bytes = Path(full).read_bytes() if self._is_local else self._filesystem.cat_file(full)
        return data

    def problem(self, path: str, sha256: str, stored_sha256: str | None = None) -> str | None:
        """What is wrong with the file, as the end of a sentence that begins with its path; None when its body has this
        hash, or, where customers were cut out of it, the whole file the other.
        """
        try:
            if stored_sha256 is not None:
                is_same = hashlib.sha256(self.stored(path)).hexdigest() == stored_sha256
                return None if is_same else "is not as it was landed"
            body = self.read(path)
        except FileNotFoundError:
            return "is missing"
        except zstandard.ZstdError:
            return "is damaged: it cannot be unpacked"
        return None if hashlib.sha256(body).hexdigest() == sha256 else "is not as it was landed"

    def remove_orphans(self, feed: FeedKey, batch: int, keep: set[str]) -> list[str]:
        """Delete files of a batch that have no manifest row; their paths."""
        folder = self._full(f"{PREFIX}{feed}")
        removed = []
        for found in self._filesystem.glob(f"{folder}/*/{batch:010d}-*"):
            path = PREFIX + str(feed) + str(found)[str(found).index(f"/{feed}/") + len(str(feed)) + 1 :]
            if path not in keep:
                self._filesystem.rm_file(found)
                removed.append(path)
        return removed

    def highest_batch(self) -> int:
        """The largest batch number any file carries, 0 when there is none. Reads the whole listing: only for a lost
        state.
        """
        if not self._filesystem.exists(self._root):
            return 0
        names = (_BATCH_OF_NAME.search(str(path)) for path in self._filesystem.find(self._root))
        return max((int(name.group(1)) for name in names if name), default=0)

    def size(self) -> tuple[int, int]:
        """Number of files and their bytes as they are stored. Reads the whole listing."""
        if not self._filesystem.exists(self._root):
            return 0, 0
        found = self._filesystem.find(self._root, detail=True)
        return len(found), sum(int(one["size"] or 0) for one in found.values())

    def _full(self, path: str) -> str:
        return f"{self._root}/{path.removeprefix(PREFIX)}"


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
