"""What doctor tells about the permissions of the integration's role, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.netsuite.rights import STATEMENT, check_rights, role_of
from connectors.records import CheckResult
from sandbox.netsuite import NetSuiteApi
from sandbox.netsuite.sign_in import ROLE
from tests.connectors_netsuite.account import BY_CERTIFICATE, BY_TOKENS, connector, running

EXTRA, MISSING, UNSEEN = (f"rights that {one}" for one in ("are not needed", "are missing", "cannot be asked for"))
FEEDS = {"accounts", "sales_orders", "periods"}
LEAST = {"ADMI_RESTWEBSERVICES=4", "REPO_ANALYTICS=1", "TRAN_FIND=1", "LIST_ACCOUNT=1", "ADMI_ACCTPERIODS=1"}
FOR_JOURNALS = LEAST | {"LIST_CUSTJOB=1", "TRAN_JOURNAL=3"}


def found(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.name.partition(": ")[2]: result for result in results}


@pytest.fixture
def account() -> Iterator[tuple[NetSuiteApi, str]]:
    with running() as served:
        yield served


def test_a_role_that_shows_its_permissions_is_compared_level_by_level(account: tuple[NetSuiteApi, str]) -> None:
    api, url = account
    api.settings.shows_permissions = True
    api.settings.role_permissions = FOR_JOURNALS - {"LIST_ACCOUNT=1", "TRAN_JOURNAL=3"}
    api.settings.role_permissions |= {"LIST_ACCOUNT=3", "TRAN_JOURNAL=2", "TRAN_SALESORD=4", "LIST_EMPLOYEE=1"}
    shown = found(check_rights(connector(url, BY_CERTIFICATE), FEEDS, {"JOURNAL"}))
    assert (shown[EXTRA].ok, shown[EXTRA].is_warning) == (False, True)
    assert [part.partition(" (")[0] for part in shown[EXTRA].detail.split("; ")] == [
        "LIST_ACCOUNT Edit",
        "LIST_EMPLOYEE View",
        "TRAN_SALESORD Full",
    ]
    assert "View is enough" in shown[EXTRA].detail
    assert (shown[MISSING].ok, shown[MISSING].detail) == (False, "TRAN_JOURNAL Edit (JOURNAL)")


def test_a_role_as_small_as_it_should_be_passes(account: tuple[NetSuiteApi, str]) -> None:
    api, url = account
    api.settings.shows_permissions = True
    api.settings.role_permissions = FOR_JOURNALS | {"ADMI_LOGIN_OAUTH2=4", "LIST_CLASS=1"}
    assert all(result.ok for result in check_rights(connector(url, BY_CERTIFICATE), FEEDS, {"JOURNAL"}))


@pytest.mark.parametrize(("credentials", "role"), [(BY_CERTIFICATE, str(ROLE)), (BY_TOKENS, "<its id>")])
def test_a_role_that_hides_its_permissions_is_tried_by_what_it_sees(
    account: tuple[NetSuiteApi, str], credentials: Any, role: str
) -> None:
    api, url = account
    netsuite = connector(url, credentials)
    shown = found(check_rights(netsuite, FEEDS, {"JOURNAL"}))
    assert shown[EXTRA].ok
    assert STATEMENT.replace("?", role) in shown[UNSEEN].detail
    assert "TRAN_JOURNAL Edit" in shown[UNSEEN].detail
    assert "as the account asks for them: ADMI_LOGIN_OAUTH, ADMI_LOGIN_OAUTH2" in shown[UNSEEN].detail
    assert "TRAN_DEPOSIT" not in shown[UNSEEN].detail
    api.settings.role_permissions = {"LIST_EMPLOYEE=1"}
    assert "LIST_EMPLOYEE" in found(check_rights(netsuite, FEEDS, {"JOURNAL"}))[EXTRA].detail


def test_a_token_that_is_no_jwt_names_no_role() -> None:
    class Opaque:
        def __init__(self, text: str) -> None:
            self.text = text

        def access_token(self) -> str:
            return self.text

    for text in ("opaque", "a.b.c", "a.!!!.c", "a.e30.c", "a.eyJzdWIiOiJ4OzEifQ.c"):
        assert role_of(Opaque(text)) is None  # type: ignore[arg-type]
