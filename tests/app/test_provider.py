"""Signing in by an identity provider, over real HTTP and with real signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from app.asking import Site
from app.settings import AppSettings
from tests.app.provider import CLIENT, Provider, providing
from tests.app.serving import Visitor, serving


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as one:
        yield one


@pytest.fixture
def visitor(provider: Provider, site: Site) -> Iterator[Visitor]:
    own = AppSettings(
        oidc_issuer=provider.address,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr("shared"),
        oidc_roles="leads=approver staff=viewer",
    )
    with serving(replace(site, own=own)) as url:
        yield Visitor(url)


def test_whom_the_provider_vouches_for_comes_in_with_the_roles_of_the_groups(visitor: Visitor) -> None:
    assert "Sign in with your organisation" in visitor.get("/sign-in").text
    page = visitor.get("/sign-in/provider")
    assert page.url.path == "/"
    assert "eve" in page.text
    assert "approver" in page.text
    assert visitor.get("/exceptions").status_code == 200


def test_who_has_no_group_here_is_not_let_in(visitor: Visitor, provider: Provider) -> None:
    provider.claims["groups"] = ["gardeners"]
    page = visitor.get("/sign-in/provider")
    assert page.status_code == 403
    assert "no role here" in page.text
    assert visitor.get("/").url.path == "/sign-in"


@pytest.mark.parametrize(
    "spoil", [{"aud": "another"}, {"iss": "https://evil.example"}, {"nonce": "old"}, {"exp": 1}], ids=str
)
def test_a_token_that_is_not_for_us_is_refused(visitor: Visitor, provider: Provider, spoil: dict[str, object]) -> None:
    provider.spoil = spoil
    assert visitor.get("/sign-in/provider").status_code == 403
    assert visitor.get("/").url.path == "/sign-in"


def test_a_token_by_another_key_is_refused(visitor: Visitor, provider: Provider) -> None:
    provider.forged = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    page = visitor.get("/sign-in/provider")
    assert page.status_code == 403
    assert "cannot be trusted" in page.text


def test_a_provider_that_does_not_answer_is_named(site: Site) -> None:
    own = AppSettings(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT, oidc_roles="leads=approver")
    with serving(replace(site, own=own)) as url:
        page = Visitor(url).get("/sign-in/provider")
    assert page.status_code == 502
    assert "does not answer" in page.text


def test_an_answer_nobody_asked_for_is_refused(visitor: Visitor) -> None:
    assert visitor.get("/sign-in/callback?code=stolen&state=invented").status_code == 403
