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


@dataclass(frozen=True)
class SageClient:
    """One registered application at Sage ID and the refresh token of its first consent."""

    client_id: str
    client_secret: str = field(repr=False)
    first_refresh_token: str = field(repr=False)


def mirakl_secret(seed: int, marketplace: str, name: str = "seller") -> str:
    """A key in the form Mirakl issues, a UUID."""
    return str(uuid.UUID(_digest(seed, "mirakl", marketplace, name)[:32]))


def sage_client(seed: int) -> SageClient:
    return SageClient(
        client_id=_digest(seed, "sage", "client")[:32],
        client_secret=_digest(seed, "sage", "secret"),
        first_refresh_token="v1." + _digest(seed, "sage", "refresh")[:44],
    )
