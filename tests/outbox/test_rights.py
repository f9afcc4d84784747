"""A role of PostgreSQL that may do more than keep the outbox is told so."""

from __future__ import annotations

from orchestration.outbox.database import excess_rights, open_engine
from tests.outbox.conftest import postgres_url  # noqa: F401


def test_what_the_databases_role_may_do_beyond_its_tables(postgres_url: str) -> None:  # noqa: F811
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("CREATE ROLE maker LOGIN CREATEROLE CREATEDB")
    found = {}
    for role in ("tieout", "plain", "maker"):
        engine = open_engine(postgres_url.replace("//tieout@", f"//{role}@"))
        found[role] = excess_rights(engine)
        engine.dispose()
    assert "SUPERUSER" in found["tieout"]
    assert found["plain"] == []
    assert found["maker"] == ["CREATEROLE", "CREATEDB"]


def test_a_file_has_no_roles() -> None:
    engine = open_engine("sqlite:///never-opened.db")
    assert excess_rights(engine) == []
