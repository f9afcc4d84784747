"""One Sage 200 company and one NetSuite account for all traps. Each test writes under keys of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from connectors.netsuite import NetSuiteConnector
from sandbox.netsuite import NetSuiteApi, NetSuiteSettings
from sandbox.sage_settings import SageSettings
from tests.connectors_netsuite.account import connector, running
from tests.connectors_sage200.conftest import Site, company

__all__ = ["company"]

Behave = Callable[..., None]
Connect = Callable[..., NetSuiteConnector]


@pytest.fixture
def site(company: Site) -> Iterator[Site]:
    """The company, undisturbed, at a site as most are."""
    yield company
    company.calm()
    vars(company.store.sage_settings).update(vars(SageSettings()))


@pytest.fixture
def behave(site: Site) -> Behave:
    """Chooses between the behaviours that nobody documents."""

    def choose(**values: Any) -> None:
        httpx.post(f"{site.url}/_sandbox/sage200/site", json=values).raise_for_status()

    return choose


@pytest.fixture(scope="session")
def _account() -> Iterator[tuple[NetSuiteApi, str]]:
    with running() as found:
        yield found


@pytest.fixture
def account(_account: tuple[NetSuiteApi, str]) -> Iterator[NetSuiteApi]:
    """The account with its usual settings, whatever a test changes of them."""
    api, _ = _account
    before = vars(api.settings).copy()
    vars(api.settings).update(vars(NetSuiteSettings()))
    yield api
    vars(api.settings).update(before)


@pytest.fixture
def connect(account: NetSuiteApi, _account: tuple[NetSuiteApi, str]) -> Iterator[Connect]:
    """Connectors to the account, by tokens unless told otherwise."""
    with ExitStack() as stack:

        def make(*credentials: Any, **more: Any) -> NetSuiteConnector:
            made = connector(_account[1], *credentials, **more)
            stack.callback(made.close)
            return made

        yield make
