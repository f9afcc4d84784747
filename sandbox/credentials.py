"""The keys of a sandbox. They are made from the seed when it starts; they open nothing but this sandbox."""

import hashlib
import uuid
from dataclasses import dataclass, field

ALL_MIRAKL_ROLES = frozenset({"ROLE_SHOP_ADMIN", "ROLE_SHOP_ACCOUNTANCY"})


def _digest(*parts: object) -> str:
    return hashlib.sha256("|".join(str(part) for part in ("tieout-sandbox", *parts)).encode()).hexdigest()


@dataclass(frozen=True)
class MiraklKey:
    """One API key of one marketplace: its user's shops (the first answers when none is named) and roles."""

    secret: str = field(repr=False)
    shop_ids: tuple[int, ...]
    roles: frozenset[str] = ALL_MIRAKL_ROLES
    is_operator: bool = False


@dataclass(frozen=True)
class MiraklClient:
    """An operator's registered application: what it signs in with, and the key that its tokens stand for."""

    client_id: str
    client_secret: str = field(repr=False)
    key: MiraklKey


@dataclass(frozen=True)
class SageClient:
    """One registered application at Sage ID and the refresh token of its first consent."""

    client_id: str
    client_secret: str = field(repr=False)
    first_refresh_token: str = field(repr=False)


def mirakl_secret(seed: int, marketplace: str, name: str = "seller") -> str:
    """A key in the form Mirakl issues, a UUID."""
    return str(uuid.UUID(_digest(seed, "mirakl", marketplace, name)[:32]))


def operator_client(seed: int, marketplace: str) -> tuple[str, str]:
    """Client id and secret of a marketplace's operator."""
    return (
        str(uuid.UUID(_digest(seed, "mirakl", marketplace, "client")[:32])),
        _digest(seed, "mirakl", marketplace, "client secret"),
    )


def sage_client(seed: int) -> SageClient:
    return SageClient(
        client_id=_digest(seed, "sage", "client")[:32],
        client_secret=_digest(seed, "sage", "secret"),
        first_refresh_token="v1." + _digest(seed, "sage", "refresh")[:44],
    )
