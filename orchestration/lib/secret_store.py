"""Secrets: looked up by name at the moment they are needed, and masked wherever words leave the process.

A variable of the environment holds the secret itself, or says where it is: `keyring://SERVICE/NAME` (the machine's
keyring, or a secret manager with a keyring backend) or `file:///PATH` (a mounted secret). What is elsewhere is read
anew each time, so that a new key is taken up without a restart.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

_SECRET_ENDINGS = (
    "_API_KEY",
    "_CLIENT_SECRET",
    "_CLIENT_ID",
    "_REFRESH_TOKEN",
    "_TOKEN",
    "_TOKEN_ID",
    "_SECRET",
    "_PASSWORD",
    "_PRIVATE_KEY",
    "_CONSUMER_KEY",
)
_ADDRESSES = "TIEOUT_ALERT_URLS"
"""Start of the names of variables that hold addresses with a password or a token in them, separated by white space."""
_DATABASE = "TIEOUT_OUTBOX_URL"
_SHORTEST_SECRET = 6
"""Shorter values are not masked: they would blank out ordinary words."""
MASK = "***"

_met: set[str] = set()
"""Secrets that came from elsewhere than the environment, for as long as the process lives: they are masked too."""


class SecretUnavailable(Exception):
    """The variable says where the secret is, and it is not there. The text names the place, never a value."""


def secret(name: str, environ: Mapping[str, str] | None = None) -> SecretStr | None:
    """The secret `name`, None when it is missing or empty. Raises SecretUnavailable."""
    value = (os.environ if environ is None else environ).get(name, "").strip()
    if value.startswith(("keyring://", "file://")):
        value = _elsewhere(name, value)
        _met.add(value)
    return SecretStr(value) if value else None


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """`text` with every secret replaced by `***`: those of the environment and those that were met elsewhere."""
    values = {value for value in _values(os.environ if environ is None else environ) if len(value) >= _SHORTEST_SECRET}
    for value in sorted(values | _met, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _values(environ: Mapping[str, str]) -> set[str]:
    values: set[str] = set()
    for name, value in environ.items():
        if name.endswith(_SECRET_ENDINGS):
            values |= {value, value.replace("\\n", "\n")}
        elif name.startswith(_ADDRESSES):
            values.update(value.split())
        elif name == _DATABASE and (password := urlsplit(value).password):
            values |= {password, unquote(password)}
    return values


def _elsewhere(name: str, reference: str) -> str:
    parts = urlsplit(reference)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text file"
            raise SecretUnavailable(f"{name} points to {path}, which cannot be read: {why}") from None
    else:
        service, key = unquote(parts.netloc), unquote(parts.path.lstrip("/"))
        try:
            import keyring
        except ImportError:
            raise SecretUnavailable(
                f"{name} points to a keyring, and the package keyring is not installed: pip install '.[keyring]'"
            ) from None
        try:
            value = (keyring.get_password(service, key) or "").strip()
        except keyring.errors.KeyringError as error:
            raise SecretUnavailable(f"{name} points to {reference}: {type(error).__name__}") from None
    if not value:
        raise SecretUnavailable(f"{name} points to {reference}, where there is nothing; put the secret there")
    return value
