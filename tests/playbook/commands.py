"""Every command that a page names, and whether the real command line takes it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

from typer.main import get_command

from orchestration.cli.app import app

PLACEHOLDERS = {
    "ID", "KEY", "CYCLE", "CYCLE_ID", "CONVERSATION_ID", "JOURNAL_KEY", "LINE", "MONTH", "NAME", "ORDER", "OTHER",
    "RECEIPT", "REFUND", "X", "packs/FILE.zip", "...", "…",
}  # fmt: skip
"""Words that stand for something of the reader's."""
READS = {
    "status", "exceptions", "actions", "claims", "decisions", "sql", "doctor", "close", "alerts", "audit",
    "shadow",
}  # fmt: skip
"""Commands that change nothing and name nothing of the reader's (as `explain` does), unless one of `CHANGES` stands in
them (`--requests` asks vendors).
"""
CHANGES = {"--sign", "--lock", "--reopen", "--out", "--pack", "--requests", "ack", "send", "test"}


def commands_in(markdown: str) -> Iterator[list[str]]:
    """The words behind `tieout` of each command, in code lines and in code spans."""
    spans = re.findall(r"`(tieout [^`]+)`", markdown)
    lines = re.findall(r"^ {4,}(?:\$ )?(tieout .+)$", markdown, flags=re.MULTILINE)
    for text in [*spans, *lines]:
        yield shlex.split(text, comments=True)[1:]


def resolve(words: list[str]) -> Any:
    """Parse the words as the command line would, without running anything; the context. Raises click's UsageError."""
    command, rest = _command_line(), list(words)
    name = "tieout"
    while hasattr(command, "get_command"):
        if not rest or rest[0].startswith("-"):
            break
        found = command.get_command(command.make_context(name, ["status"], resilient_parsing=True), rest[0])
        if found is None:
            raise ValueError(f"there is no command {rest[0]}")
        name, command, rest = rest[0], found, rest[1:]
    # A name alone is prose about the command: it has to exist, not to be complete.
    return command.make_context(name, rest, resilient_parsing=not rest)


@cache
def _command_line() -> Any:
    return get_command(app)


def is_read_only(words: list[str]) -> bool:
    asks_vendors = words[0] == "doctor" and "--offline" not in words
    return words[0] in READS and not (CHANGES | PLACEHOLDERS) & set(words) and not asks_vendors
