"""Who gets in, for how long, and what every answer carries."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.asking import Site
from app.people import Person, Role, role_map
from app.settings import AppSettings
from app.signing import limits, sessions
from app.signing.oidc import NotAdmitted, person_of_claims
from app.signing.users import Users, UsersInvalid
from app.signing.views import local_path
from tests.app.conftest import SignedIn
from tests.app.serving import PASSWORD, Visitor


def test_nobody_sees_a_page_without_signing_in(visitor: Visitor) -> None:
    for path in ("/", "/exceptions", "/explain?id=C-2", "/no-such-page"):
        response = visitor.get(path)
        assert response.url.path == "/sign-in", path
        assert "BNK-001" not in response.text


def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: Visitor) -> None:
    form = visitor.get("/explain?id=C-2")
    assert "next" in str(form.url)
    token = form.text.split('name="token" value="')[1].split('"')[0]
    sent = {"token": token, "name": "vera", "password": PASSWORD, "next": "/explain?id=C-2"}
    assert "Pay-out of cycle C-2" in visitor.client.post("/sign-in", data=sent).text


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_sign_in_sends_people_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


def test_a_wrong_password_and_a_wrong_name_are_answered_alike(visitor: Visitor) -> None:
    wrong, unknown = visitor.sign_in("vera", "guess"), visitor.sign_in("nobody", "guess")
    assert wrong.status_code == unknown.status_code == 401
    assert "Name or password is wrong." in wrong.text
    assert "Name or password is wrong." in unknown.text


def test_guessing_is_stopped_even_when_the_last_guess_is_right(visitor: Visitor) -> None:
    for _ in range(limits.PER_NAME):
        assert visitor.sign_in("vera", "guess").status_code == 401
    assert visitor.sign_in("Vera").status_code == 429
    assert visitor.sign_in("paul").status_code == 200


def test_attempts_are_forgiven_with_time() -> None:
    now = [0.0]
    attempts = limits.Attempts(lambda: now[0])
    for _ in range(limits.PER_NAME):
        assert attempts.begin("vera", "somewhere") == 0
    assert attempts.begin("VERA", "elsewhere") == limits.WINDOW_SECONDS
    now[0] = limits.WINDOW_SECONDS + 1
    assert attempts.begin("vera", "somewhere") == 0
    attempts.succeeded("vera", "somewhere")
    for number in range(limits.PER_ADDRESS):
        assert attempts.begin(f"name {number}", "somewhere") == 0
    assert attempts.begin("paul", "somewhere") > 0


def test_a_session_ends_by_itself_and_by_its_owner(
    signed_in: SignedIn, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vera = signed_in("vera")
    copied = dict(vera.client.cookies)
    vera.do("/sign-out", seen="/")
    assert vera.get("/").url.path == "/sign-in"
    thief = Visitor(vera.base)
    thief.client.cookies.update(copied)
    assert thief.get("/").url.path == "/sign-in"
    paul = signed_in("paul")
    later = time.time() + site.own.idle_minutes * 60 + 1
    monkeypatch.setattr(sessions, "time", lambda: later)
    assert paul.get("/").url.path == "/sign-in"


def test_a_form_sent_after_the_session_ended_is_not_done_and_says_so(signed_in: SignedIn, site: Site) -> None:
    paul = signed_in("paul")
    paul.client.cookies.clear()
    answer = paul.client.post("/exceptions/accept", data={"choose": "aaaaaaaaaaaaaaaa", "reason": "known"})
    assert "what you sent was not done" in answer.text
    assert site.outbox.decisions.all() == []


def test_who_is_taken_out_of_the_file_is_out_at_once(signed_in: SignedIn, site: Site) -> None:
    vera = signed_in("vera")
    rows = [line for line in site.users.path.read_text().splitlines() if not line.startswith("vera")]
    site.users.path.write_text("\n".join(rows) + "\n")
    assert vera.get("/").url.path == "/sign-in"


def test_a_link_signs_in_once(site: Site, visitor: Visitor) -> None:
    site.link_token, site.link_person = "once", Person("olga", frozenset({Role.ADMIN}))
    assert "olga" in visitor.get("/sign-in/link/once").text
    assert Visitor(visitor.base).get("/sign-in/link/once").status_code == 403
    assert "olga" in visitor.get("/").text


def test_every_answer_is_armoured(signed_in: SignedIn) -> None:
    response = signed_in("vera").get("/")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert " style=" not in response.text
    assert "<script>" not in response.text


def test_the_cookie_is_out_of_reach_and_secure_behind_https(visitor: Visitor, site: Site) -> None:
    cookie = visitor.client.get("/sign-in").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert not site.is_secure
    behind = replace(site, settings=site.settings.model_copy(update={"app_url": "https://tieout.example.com"}))
    assert behind.is_secure
    assert (site.settings.secrets_dir / "app-session.key").stat().st_mode & 0o077 == 0


def test_another_host_name_is_refused(visitor: Visitor) -> None:
    assert visitor.client.get("/sign-in", headers={"host": "evil.example"}).status_code == 400


def test_an_identity_gets_the_roles_of_its_groups_and_none_is_not_let_in() -> None:
    own = AppSettings(oidc_roles="fin-team=preparer fin-leads=approver")
    person = person_of_claims({"preferred_username": "eve", "groups": ["fin-leads", "other"]}, own)
    assert (person.name, person.roles) == ("eve", {Role.APPROVER})
    with pytest.raises(NotAdmitted):
        person_of_claims({"preferred_username": "eve", "groups": ["other"]}, own)
    with pytest.raises(ValueError, match="captain"):
        role_map("fin=captain")


def test_a_users_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("name,password_hash,roles,teams\nann,x,boss,\n")
    with pytest.raises(UsersInvalid, match="line 2, roles: 'boss'"):
        Users(path).person("ann")
    with pytest.raises(UsersInvalid, match="at least"):
        Users(tmp_path / "new.csv").put("ann", "short", [Role.VIEWER], [])
    with pytest.raises(UsersInvalid, match="cannot be"):
        Users(tmp_path / "new.csv").put("Tieout", PASSWORD, [Role.VIEWER], [])
