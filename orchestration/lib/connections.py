"""From configuration rows and secrets to connectors. The only place that knows which secret belongs to which
account.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from connectors.addresses import Destination
from connectors.auth import ClientCredentials, FileCredentialStore
from connectors.bank.csv import CsvProfile
from connectors.bank.reader import BankStatementReader
from connectors.delivery import Delivery
from connectors.erps import ErpCompany, ErpConnector, registered_erps
from connectors.errors import AuthError, BadConfiguration, ConnectorError, NotFound
from connectors.http import is_loopback
from connectors.mirakl.addresses import destinations
from connectors.mirakl.client import MiraklConnector
from connectors.mirakl.rights import check_rights as mirakl_rights
from connectors.mirakl.writes import deliveries as mirakl_deliveries
from connectors.netsuite import AccountLimiter, Certificate, NetSuiteConnector, Tokens
from connectors.netsuite.accounts import realm_of
from connectors.netsuite.rights import check_rights as netsuite_rights
from connectors.netsuite.writes import deliveries as netsuite_deliveries
from connectors.records import CheckResult, FeedSpec, Page, Window
from connectors.sage200.client import Sage200Connector
from connectors.sage200.rights import check_rights as sage200_rights
from connectors.sage200.writes import deliveries as sage200_deliveries
from orchestration.lib.budgets import Budgets, CallUsage, KeyBudget
from orchestration.lib.configuration import Erp, Marketplace
from orchestration.lib.registry import Registry
from orchestration.lib.secret_store import SecretUnavailable, secret
from orchestration.lib.settings import Settings


class Connector(Protocol):
    """What the pipeline asks of any vendor's connector."""

    @property
    def feeds(self) -> Mapping[str, FeedSpec]: ...

    def pages(self, entity: str, window: Window) -> Iterator[Page]: ...

    def check(self) -> list[CheckResult]: ...


class ConnectionSource(Protocol):
    """Where a run gets its connectors; tests give their own."""

    def connector(self, vendor: str, account: str) -> Connector: ...

    def deliveries(self) -> dict[tuple[str, str], Delivery]: ...

    def budget(self, vendor: str, account: str) -> KeyBudget | None: ...

    def usage(self) -> list[CallUsage]: ...


def secret_names(registry: Registry, vendor: str, account: str) -> tuple[str, ...]:
    """The environment variables that hold an account's secrets."""
    match vendor:
        case "mirakl":
            row = registry.marketplace(account)
            parts = ("API_KEY",) if row.auth_method == "API_KEY" else ("CLIENT_ID", "CLIENT_SECRET")
            return tuple(f"MIRAKL_{row.secret_name}_{part}" for part in parts)
        case "sage200":
            return tuple(f"SAGE200_{account}_{part}" for part in SAGE200_SECRETS)
        case "netsuite":
            method = registry.erp(account).auth_method
            return tuple(f"NETSUITE_{account}_{part}" for part in NETSUITE_SECRETS[method or ""])
        case _:
            erp = registered_erps().get(vendor)
            return tuple(_secret_name(vendor, account, part) for part in erp.secrets) if erp else ()


def _secret_name(vendor: str, account: str, part: str) -> str:
    return f"{vendor.upper()}_{account}_{part}"


SAGE200_SECRETS = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
NETSUITE_SECRETS = {
    "CERTIFICATE": ("CLIENT_ID", "CERTIFICATE_ID", "PRIVATE_KEY"),
    "TBA": ("CONSUMER_KEY", "CONSUMER_SECRET", "TOKEN_ID", "TOKEN_SECRET"),
}
"""The last part of the variables' names, by the way of signing in."""

AnyConnector = MiraklConnector | Sage200Connector | NetSuiteConnector | BankStatementReader | ErpConnector


class Connections:
    """Builds each account's connector once. Raises AuthError when a secret is missing: that account stops, no other."""

    def __init__(self, registry: Registry, settings: Settings, environ: Mapping[str, str] | None = None) -> None:
        self._registry = registry
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._budgets = Budgets(settings.budgets_path, registry.call_budgets)
        self._budget_of: dict[str, KeyBudget] = {}
        self._made: dict[tuple[str, str], AnyConnector] = {}

    def connector(self, vendor: str, account: str) -> Connector:
        """Raises a ConnectorError when the configuration does not lead to a connector."""
        return self._connector(vendor, account)

    def rights(self, vendor: str, account: str, kinds: Collection[str]) -> list[CheckResult]:
        """What the account's key may do beyond, or short of, reading its feeds and writing `kinds`, as far as its
        vendor tells. Nothing for vendors that connectors/rights.csv does not know. Raises a ConnectorError.
        """
        connector = self._connector(vendor, account)
        feeds = {feed.entity for feed in self._registry.account_feeds(vendor, account)}
        match connector:
            case MiraklConnector():
                return mirakl_rights(connector, feeds, kinds)
            case Sage200Connector():
                return sage200_rights(connector, feeds, kinds)
            case NetSuiteConnector():
                return netsuite_rights(connector, feeds, kinds)
            case _:
                return []

    def deliveries(self) -> dict[tuple[str, str], Delivery]:
        """Who delivers what, by (kind, account). An account without its secrets is left out: its actions wait."""
        found: dict[tuple[str, str], Delivery] = {}
        for account in self._registry.accounts_of("mirakl"):
            with suppress(ConnectorError):
                mirakl = self._connector("mirakl", account)
                assert isinstance(mirakl, MiraklConnector)
                found |= {(kind, account): delivery for kind, delivery in mirakl_deliveries(mirakl).items()}
        for account in self._registry.accounts_of("sage200"):
            with suppress(ConnectorError):
                sage = self._connector("sage200", account)
                assert isinstance(sage, Sage200Connector)
                made = sage200_deliveries(sage, destinations_of=self._destinations_of)
                found |= {(kind, account): delivery for kind, delivery in made.items()}
        for account in self._registry.accounts_of("netsuite"):
            with suppress(ConnectorError):
                netsuite = self._connector("netsuite", account)
                assert isinstance(netsuite, NetSuiteConnector)
                made = netsuite_deliveries(netsuite, self._registry.erp(account).subsidiary_id, self._destinations_of)
                found |= {(kind, account): delivery for kind, delivery in made.items()}
        for vendor, erp in registered_erps().items():
            for account in self._registry.accounts_of(vendor):
                with suppress(ConnectorError):
                    registered = self._connector(vendor, account)
                    found |= {(kind, account): delivery for kind, delivery in erp.deliveries(registered).items()}
        return found

    def _destinations_of(self, marketplace: str, order_ids: Sequence[str]) -> Mapping[str, Destination]:
        connector = self._connector("mirakl", marketplace)
        assert isinstance(connector, MiraklConnector)
        return destinations(connector, order_ids)

    def budget(self, vendor: str, account: str) -> KeyBudget | None:
        """The call budget of the account's key; None where calls are not counted: the vendor's connector keeps its own
        pace, or the server is on this machine.
        """
        if vendor != "mirakl":
            return None
        row = self._registry.marketplace(account)
        if is_loopback(row.base_url) and not self._settings.pace_local:
            return None
        if account not in self._budget_of:
            self._budget_of[account] = self._budgets.of(vendor, row.secret_name, account)
        return self._budget_of[account]

    def usage(self) -> list[CallUsage]:
        """What is used and left of every call budget; nothing where no call was counted."""
        return self._budgets.usage()

    def _connector(self, vendor: str, account: str) -> AnyConnector:
        key = (vendor, account)
        if key not in self._made:
            self._made[key] = self._make(vendor, account)
        return self._made[key]

    def _make(self, vendor: str, account: str) -> AnyConnector:
        if account not in self._registry.accounts_of(vendor):
            raise NotFound(f"{account} is not configured, or not enabled", vendor=vendor, call="configuration")
        match vendor:
            case "mirakl":
                return self._mirakl(self._registry.marketplace(account))
            case "sage200":
                return self._sage200(self._registry.erp(account))
            case "netsuite":
                return self._netsuite(self._registry.erp(account))
            case "bank":
                return self._bank(account)
            case _:
                return self._registered(vendor, self._registry.erp(account))

    def _registered(self, vendor: str, erp: Erp) -> ErpConnector:
        company = ErpCompany(
            code=erp.erp_code,
            columns=erp.cells(),
            config_dir=self._registry.config_dir.absolute(),
            secret=lambda part: self._secret(vendor, _secret_name(vendor, erp.erp_code, part)),
            clock=self._settings.clock.now,
        )
        return registered_erps()[vendor].connect(company)

    def _mirakl(self, row: Marketplace) -> MiraklConnector:
        code, prefix = row.marketplace_code, f"MIRAKL_{row.secret_name}"
        auth: str | ClientCredentials
        if row.auth_method == "OAUTH2" and row.token_url is not None:
            auth = ClientCredentials(
                row.token_url,
                self._secret("mirakl", f"{prefix}_CLIENT_ID"),
                self._secret("mirakl", f"{prefix}_CLIENT_SECRET"),
            )
            reread = partial(self._secret, "mirakl", f"{prefix}_CLIENT_SECRET")
        else:
            auth = self._secret("mirakl", f"{prefix}_API_KEY")
            reread = partial(self._secret, "mirakl", f"{prefix}_API_KEY")
        return MiraklConnector(
            code,
            row.base_url,
            row.shop_id,
            auth,
            timeout_seconds=row.timeout_seconds,
            reread_key=reread,
            perspective=row.perspective,
            key_name=row.secret_name,
            order_tax_mode=row.order_tax_mode,
            budget=self.budget("mirakl", code),
            clock=self._settings.clock.now,
        )

    def _sage200(self, erp: Erp) -> Sage200Connector:
        code, prefix = erp.erp_code, f"SAGE200_{erp.erp_code}"
        client_id, client_secret = (
            self._secret("sage200", f"{prefix}_{part}") for part in ("CLIENT_ID", "CLIENT_SECRET")
        )
        credentials = sage200_credentials(self._settings, code, self._environ)
        credentials.load()  # where nobody has signed in the account stops here, as for any missing secret
        return Sage200Connector(
            code,
            _given(erp, "base_url"),
            _given(erp, "token_url"),
            _given(erp, "site_id"),
            _given(erp, "company_id"),
            credentials,
            client_id,
            client_secret,
            reread_secret=partial(self._secret, "sage200", f"{prefix}_CLIENT_SECRET"),
            timeout_seconds=erp.timeout_seconds,
            clock=self._settings.clock.now,
        )

    def _netsuite(self, erp: Erp) -> NetSuiteConnector:
        """NetSuite counts the requests of a whole account: its places are shared by all processes of this data folder,
        and by every company (subsidiary) of the account.
        """
        account_id, settings = _given(erp, "account_id"), self._settings
        places = settings.locks_dir / f"netsuite-{realm_of(account_id)}"
        return NetSuiteConnector(
            erp.erp_code,
            account_id,
            self._netsuite_credentials(erp),
            base_url=erp.base_url,
            subsidiary_id=erp.subsidiary_id,
            used=[feed.entity for feed in self._registry.account_feeds("netsuite", erp.erp_code)],
            limiter=AccountLimiter(settings.netsuite_requests, places),
            timeout_seconds=erp.timeout_seconds,
            clock=settings.clock.now,
        )

    def _netsuite_credentials(self, erp: Erp) -> Certificate | Tokens:
        names = secret_names(self._registry, "netsuite", erp.erp_code)
        values = [self._secret("netsuite", name) for name in names]
        if erp.auth_method == "TBA":
            return Tokens(*values)
        client_id, certificate_id, key = values
        return Certificate(client_id, certificate_id, _private_key(names[-1], key))

    def _bank(self, account: str) -> BankStatementReader:
        row = self._registry.bank_account(account)
        path = row.statement_path
        assert path is not None  # an account of statements has one: registry_checks
        if "://" not in path:
            path = str(self._registry.config_dir.absolute() / path)
        profile = None
        if row.csv_profile is not None:
            profile = CsvProfile.from_rows(row.csv_profile, self._registry.csv_profile_rows())
        return BankStatementReader(
            account,
            path,
            row.iban,
            profile,
            currency=row.currency_code,
            clock=self._settings.clock.now,
            land_malformed=True,
        )

    def _secret(self, vendor: str, name: str) -> str:
        try:
            value = secret(name, self._environ)
        except SecretUnavailable as error:
            raise AuthError(str(error), vendor=vendor, call="configuration") from None
        if value is None:
            raise AuthError(
                f"the environment variable {name} is not set; put the secret there", vendor=vendor, call="configuration"
            )
        return value.get_secret_value()


def sage200_credentials(
    settings: Settings, erp_code: str, environ: Mapping[str, str] | None = None
) -> FileCredentialStore:
    """Where a company's tokens are kept. They come from `tieout auth sage200`, or from a first refresh token in the
    environment.
    """
    first = secret(f"SAGE200_{erp_code}_REFRESH_TOKEN", environ)
    return FileCredentialStore(
        settings.secrets_dir / f"sage200-{erp_code}.json",
        first.get_secret_value() if first else None,
        sign_in=f"`tieout auth sage200 --erp {erp_code}`",
    )


def _given(row: Erp, column: str) -> str:
    """A cell that the registry's checks have seen to be there. Raises BadConfiguration."""
    value: Any = getattr(row, column)
    if value is None:
        raise BadConfiguration(
            f"{column} of {row.erp_code} in {row.FILE} line {row.line} is empty; fill it in",
            vendor=row.vendor,
            call="configuration",
        )
    return str(value)


def _private_key(name: str, value: str) -> str:
    """A PEM key given as its text (with line ends as such, or written `\\n`) or as the path of its file."""
    if "-----BEGIN" in value:
        return value.replace("\\n", "\n")
    try:
        return Path(value).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        raise AuthError(
            f"the environment variable {name} is neither a PEM key nor the path of one ({reason}); "
            "put the key's text or its file's path there",
            vendor="netsuite",
            call="configuration",
        ) from None
