"""The keys of a sandbox. They are made from the seed when it starts; they open nothing but this sandbox."""

import hashlib
import uuid
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.netsuite.sign_in import NetSuiteClient, certificate_of

ALL_MIRAKL_ROLES = frozenset({"ROLE_SHOP_ADMIN", "ROLE_SHOP_ACCOUNTANCY"})
PARTNER_ROLES = frozenset(
    f"ROLE_PARTNER_{name}"
    for name in (
        *("ORDER_READ", "ORDER_RETURN_READ", "ORDER_DOCUMENT_READ", "ORDER_SETTINGS_READ", "TRANSACTION_LOG_READ"),
        *("SELLER_BILLING_CYCLE_READ", "ACCOUNTING_DOCUMENT_READ", "OFFER_READ", "OFFER_SETTINGS_READ", "PRODUCT_READ"),
        *("SHOP_READ", "CURRENCY_SETTINGS_READ", "CHANNEL_READ", "SHIPPING_SETTINGS_READ"),
        *("ORDER_ACCEPT", "OFFER_STOCK_WRITE"),
    )
)
ROLES_TOO_MANY = frozenset(
    f"ROLE_PARTNER_{name}" for name in ("SHOP_USER_CREATE", "SHOP_DOCUMENT_READ", "PRODUCT_WRITE")
)


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


def netsuite_key(seed: int, erp_code: str) -> ec.EllipticCurvePrivateKey:
    """The private key of an integration, from the seed like every other secret: a restart needs no new certificate."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    number = int(_digest(seed, "netsuite", erp_code, "key"), 16)
    return ec.derive_private_key(number % (order - 1) + 1, ec.SECP256R1())


def netsuite_key_text(seed: int, erp_code: str) -> str:
    """The private key as PEM, PKCS 8, unencrypted."""
    pem = netsuite_key(seed, erp_code).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def netsuite_client(seed: int, erp_code: str, account_id: str) -> NetSuiteClient:
    """One integration, with a certificate for its key and the four secrets of token-based authentication."""

    def part(name: str) -> str:
        return _digest(seed, "netsuite", erp_code, name)

    return NetSuiteClient(
        account_id=account_id,
        client_id=part("client"),
        certificate_id=part("certificate")[:43],
        certificate_pem=certificate_of(netsuite_key(seed, erp_code)),
        consumer_key=part("consumer key"),
        consumer_secret=part("consumer secret"),
        token_id=part("token id"),
        token_secret=part("token secret"),
    )
