"""Exit codes, and how an exception becomes two sentences: what is wrong, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from orchestration.lib.advice import advice


class ExitCode(IntEnum):
    """What scripts can rely on. `tieout --help` prints the same list."""

    OK = 0
    ERROR = 1
    USAGE = 2
    EXCEPTIONS = 3
    """Exceptions are open at or above the severity given with --fail-on."""
    CONFIGURATION = 4
    """A configuration file or an environment variable is wrong; nothing was run."""
    PARTIAL = 5
    """A vendor account failed; the others went on."""


class CliError(Exception):
    """A failure to show without a traceback. `action` says what the reader can do about it."""

    def __init__(self, message: str, *, action: str = "", code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.action = action
        self.code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """What is printed, and the exit code."""

    code: ExitCode
    messages: tuple[str, ...]
    action: str = ""


def problem_of(error: BaseException) -> Problem:
    """Words and exit code for any exception. Types are found among the modules that are loaded already: an exception of
    a module that nobody imported cannot have been raised, and importing it here would make every command slow."""
    if isinstance(error, CliError):
        return Problem(error.code, (error.message,), error.action)
    if isinstance(error, _loaded("orchestration.lib.registry", "ConfigInvalid")):
        findings = tuple(str(finding) for finding in error.errors)
        return Problem(ExitCode.CONFIGURATION, findings, "Mend these lines; `tieout doctor` checks them again.")
    if isinstance(error, _loaded("pydantic", "ValidationError")):
        findings = tuple(_settings_words(error))
        return Problem(ExitCode.CONFIGURATION, findings, "Correct the environment (or the --env-file).")
    if isinstance(error, _loaded("connectors.errors", "ConnectorError")):
        again = (
            "Try again later."
            if error.retryable
            else "Trying again will not help; `tieout doctor` checks keys and hosts."
        )
        return Problem(ExitCode.ERROR, (str(error),), again)
    if isinstance(error, _loaded("orchestration.outbox.errors", "OutboxError")):
        return Problem(ExitCode.ERROR, (str(error),))
    if isinstance(error, _loaded("orchestration.lib.secret_store", "SecretUnavailable")):
        return Problem(ExitCode.CONFIGURATION, (str(error),), "Put the secret there, or into the variable itself.")
    if isinstance(error, _loaded("orchestration.lib.state_schema", "StateTooNew")):
        return Problem(ExitCode.ERROR, (str(error),))
    if (advised := advice(str(error))) is not None:
        return Problem(ExitCode.ERROR, (str(error).strip(),), advised)
    if isinstance(error, _loaded("duckdb", "Error")):
        return Problem(ExitCode.ERROR, (str(error).strip(),), 'Tables and columns: tieout sql "show all tables"')
    if isinstance(error, _loaded("sqlalchemy.exc", "SQLAlchemyError")):
        text = str(getattr(error, "orig", None) or error).strip()
        return Problem(
            ExitCode.ERROR, (f"the outbox database: {text}",), "Check TIEOUT_OUTBOX_URL and the data folder."
        )
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return Problem(
            ExitCode.ERROR,
            (f"{error.strerror or error}{place}",),
            "Check the path, its owner and the space on the disk.",
        )
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    return Problem(
        ExitCode.ERROR, (words,), "This was not expected. Run the command again with --debug and report what it shows."
    )


def _loaded(module: str, name: str) -> Any:
    """The exception class if its module is loaded, else an empty tuple, of which nothing is an instance."""
    return getattr(sys.modules.get(module), name, ())


def _settings_words(error: Any) -> Iterator[str]:
    for item in error.errors():
        name = "_".join(str(part) for part in item["loc"]).upper()
        yield f"TIEOUT_{name}={item.get('input')!r}: {item['msg']}"
