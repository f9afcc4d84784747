"""What every command shares: the global options and, opened on first use, settings, published marts and outbox."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli.problems import CliError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.lib.published import Published
    from orchestration.lib.settings import Settings
    from orchestration.outbox import Outbox

DEFAULT_ENV_FILE = ".env"


@dataclass
class Session:
    """State of one command line. `as_json` is on when --json stood anywhere on it."""

    as_json: bool = False
    debug: bool = False

    @cached_property
    def settings(self) -> Settings:
        from orchestration.lib.settings import Settings

        return Settings()

    @cached_property
    def published(self) -> Published:
        """The published marts. Raises CliError when nothing was published yet."""
        from orchestration.lib.published import Published

        path = self.settings.published_path
        if not path.is_file():
            raise CliError(
                f"nothing is published yet: {path} does not exist",
                action="Run `tieout run settlement`, or point TIEOUT_DATA_DIR (--env-file) at the right folder.",
            )
        return Published(path)

    def close(self) -> None:
        """Let go of what was opened; the command line calls it when the command has ended, well or not."""
        for name in ("published", "outbox"):
            if opened := self.__dict__.pop(name, None):
                opened.close()

    @property
    def has_outbox(self) -> bool:
        """Whether there is an outbox to look into; reading commands do not create one."""
        url = self.settings.outbox_address
        return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()

    @cached_property
    def outbox(self) -> Outbox:
        """The outbox; its audit trail will say which system user came in by the command line."""
        from orchestration.outbox import Outbox

        return Outbox(self.settings.outbox_address, self.settings.clock, channel=f"cli:{system_user()}")

    def require_outbox(self) -> Outbox:
        if not self.has_outbox:
            raise CliError(
                "there is no outbox yet, so there are no actions",
                action="`tieout run settlement` proposes the first ones.",
            )
        return self.outbox


def system_user() -> str:
    """Name of the operating system's user, for the audit trail."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def load_env_file(path: Path | None) -> None:
    """Put the KEY=value lines of a file into the environment; what is set there already wins.

    `path` None: the file named by TIEOUT_ENV_FILE, else `.env` in the working directory when it exists. Raises CliError
    when a file that was asked for is missing, or a line is not KEY=value.
    """
    named = path or (Path(os.environ["TIEOUT_ENV_FILE"]) if os.environ.get("TIEOUT_ENV_FILE") else None)
    file = named or Path(DEFAULT_ENV_FILE)
    if not file.is_file():
        if named is None:
            return
        raise CliError(
            f"the environment file {file} does not exist",
            action="Correct --env-file or TIEOUT_ENV_FILE.",
            code=ExitCode.CONFIGURATION,
        )
    from dotenv.parser import parse_stream

    with file.open(encoding="utf-8") as stream:
        for key, value in _bindings(file, parse_stream(stream)):
            os.environ.setdefault(key, value)


def _bindings(file: Path, parsed: Iterator[Any]) -> Iterator[tuple[str, str]]:
    for binding in parsed:
        if binding.error or (binding.key is not None and binding.value is None):
            # The line itself is not shown: it may hold a secret.
            raise CliError(
                f"{file} line {binding.original.line}: not a KEY=value line",
                action="Correct the line.",
                code=ExitCode.CONFIGURATION,
            )
        if binding.key is not None:
            yield binding.key, binding.value
