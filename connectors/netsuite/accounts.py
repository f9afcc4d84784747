"""The two spellings of an account id: `1234567_SB1` in configuration and signatures, `1234567-sb1` in host names."""

from __future__ import annotations

import re

from connectors.errors import BadConfiguration

VENDOR = "netsuite"
SERVICES = "/services/rest"
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")


def realm_of(account_id: str) -> str:
    """The id as signatures and the configuration spell it: upper case, underscore. Raises BadConfiguration."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise BadConfiguration(
            f"account id {account_id!r} is not of the form 1234567 or 1234567_SB1", vendor=VENDOR, call="configuration"
        )
    return account_id.upper().replace("-", "_")


def base_url_of(account_id: str) -> str:
    """The account's own host, to which every service belongs."""
    return f"https://{realm_of(account_id).lower().replace('_', '-')}.suitetalk.api.netsuite.com"
