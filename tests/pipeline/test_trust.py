"""What a finished installation leaves behind: no secret anywhere, nobody's name outside the evidence, and a backup that
comes back equal.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.decoding import RecordDecoder
from connectors.envelopes import Envelope
from connectors.feeds import REGISTRY
from connectors.mirakl.documented import DOCUMENTED
from connectors.records import Column, Decoded
from orchestration.lib.erasing import received_page
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from sandbox.config import read_environment
from tests.pipeline.left_behind import texts
from tests.pipeline.site import ROOT, Site

pytestmark = pytest.mark.pipeline

PERSONAL = frozenset(
    (
        "firstname",
        "lastname",
        "civility",
        "street",
        "street1",
        "street2",
        "street_1",
        "street_2",
        "email",
        "customer_notification_email",
        "phone",
        "phone_secondary",
        "phone_mobile",
        "fax",
        "telephone",
        "mobile",
        "contact_name",
        "body",
        "birthdate",
        "vat_number",
    )
)
"""Members of vendors' records that hold personal data."""
COMPANIES = frozenset({"shop_name", "corporate_name", "shop_corporate_name", "display_name", "companyname"})
EVIDENCE = ("landing", "secrets")
"""The only folders that may hold what is looked for: exact answers of the vendors, and tokens."""
CANARY = "Canary von Nowhere"


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from members(item)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


def landed(site: Site) -> Iterator[tuple[str, str, str, bytes]]:
    """(vendor, entity, address, body) of every page as it was received, its customers put back."""
    settings = Settings(data_dir=site.data_dir, landing_url=None)
    with State(site.data_dir / "state.db") as state:
        batches = {batch.batch: batch for batch in state.batches()}
        for file in state.files():
            batch = batches[file.batch]
            body = received_page(settings, file.path, file.sha256)
            assert body is not None, "nobody was erased"
            yield batch.vendor, batch.entity, file.url, body


def people(site: Site) -> set[str]:
    """What the vendors told of persons, but for the names of shops and companies, which are published, and for words
    that the configuration or the models use themselves.
    """
    found: set[str] = set()
    companies: set[str] = set()
    for *_, body in landed(site):
        if body[:1] in (b"{", b"["):
            for name, value in members(json.loads(body)):
                if isinstance(value, str) and name in PERSONAL:
                    found.add(value)
                elif isinstance(value, str) and name in COMPANIES:
                    companies.add(value)
    rooms = [ROOT / room for room in ("dbt_project", "orchestration", "connectors")]
    own = [path for room in rooms for kind in ("*.sql", "*.yml", "*.csv", "*.py") for path in room.rglob(kind)]
    own += list((site.sandbox_dir / "config").glob("*.csv"))
    words = "\n".join([*companies, *(path.read_text("utf-8") for path in own)])
    # Of an address the street is enough, without the number; of a mail address its host.
    short = {value[value.find("@") :] if "@" in value else value.lstrip("0123456789 ") for value in found}
    return {value for value in short if len(value) >= 6 and value not in words}


def test_no_secret_and_nobodys_name_is_left_behind(finished: Site) -> None:
    environment = read_environment(finished.sandbox_dir / "env")
    endings = ("_API_KEY", "_SECRET", "_TOKEN", "_PRIVATE_KEY", "_TOKEN_ID", "_CERTIFICATE_ID")
    secrets = {value for name, value in environment.items() if name.endswith(endings) and len(value) >= 6}
    tokens = [path.read_text() for path in (finished.data_dir / "secrets").glob("*.json")]
    secrets |= {
        str(v) for text in tokens for name, v in members(json.loads(text)) if name in {"refresh_token", "access_token"}
    }
    names = people(finished)
    assert len(secrets) >= 5
    assert len(names) >= 15
    evidence = b"\n".join(body for *_, body in landed(finished)).decode("utf-8", "replace")
    assert [value for value in names if value not in evidence] == []  # they were planted
    leaks, looked = defaultdict(list), 0
    for where, text in texts(finished.data_dir, without=EVIDENCE):
        looked += 1
        leaks[where] += [value for value in secrets | names if value in text]
    assert looked > 100
    assert {where: found[:3] for where, found in leaks.items() if found} == {}
    assert [value for value in secrets if value in evidence] == []


def planted(value: Any) -> Any:
    """The record with a person in every member that can hold one, and in new ones."""
    if isinstance(value, dict):
        kept = {name: CANARY if name in PERSONAL else planted(item) for name, item in value.items()}
        return kept | dict.fromkeys(("firstname", "email", "phone", "street_1", "note_to_anna"), CANARY)
    return [planted(item) for item in value] if isinstance(value, list) else value


def test_a_person_planted_in_every_feed_reaches_no_column(finished: Site) -> None:
    tried: set[tuple[str, str]] = set()
    leaks = []
    for vendor, entity, url, body in landed(finished):
        # A bank's file is kept as a whole, and who paid is a column of it: privacy.md.
        if vendor == "bank" or (vendor, entity) in tried or body[:1] not in (b"{", b"["):
            continue
        spec = REGISTRY[vendor][entity]
        plain = spec.decoded(body, url)
        if plain.record_count == len(plain.rejects):
            continue
        tried.add((vendor, entity))
        decoded = spec.decoded(json.dumps(planted(json.loads(body))).encode(), url)
        assert decoded.record_count == plain.record_count, (vendor, entity)
        if CANARY in said_by(decoded):
            leaks.append((vendor, entity))
    assert len(tried) >= 25
    assert leaks == []


def said_by(decoded: Decoded) -> str:
    """Everything that leaves a decoder."""
    tables = [table.to_pydict() for table in decoded.tables.values()]
    return str([tables, decoded.rejects, decoded.unknown_fields, decoded.unknown_values, decoded.missing_fields])


def test_a_column_that_would_hold_a_name_is_heard(finished: Site) -> None:
    """The same page through a decoder with one column too many."""
    pages = (body for _, entity, _, body in landed(finished) if entity == "orders")
    body = next(page for page in pages if b'"orders"' in page)
    root, *children = REGISTRY["mirakl"]["orders"].tables
    talkative = replace(root, columns=(*root.columns, Column("lastname", at=("customer.lastname",))))
    person = json.dumps(planted(json.loads(body))).encode()
    for table, is_heard in ((root, False), (talkative, True)):
        decoder = RecordDecoder(
            "mirakl",
            "orders",
            (table, *children),
            Envelope("orders"),
            documented=DOCUMENTED["orders"],
            promised=frozenset(),
        )
        assert (CANARY in said_by(decoder(person))) is is_heard


def test_a_backup_of_it_comes_back_equal(finished: Site, tmp_path: Path) -> None:
    made = finished.tieout_json("backup", str(tmp_path / "copy"))
    back = finished.tieout_json("restore", str(tmp_path / "copy"), str(tmp_path / "new"), "--expect", made["digest"])
    assert back["equal"] is True
    same = ("audit_head", "audit_entries", "evidence_files", "evidence_bytes", "marts")
    assert {name: back[name] for name in same} == {name: made[name] for name in same}
    assert made["evidence_files"] > 50
    assert len(made["marts"]) > 40
    restored = Site(finished.sandbox_url, finished.sandbox_dir, tmp_path / "new" / "data")
    assert restored.mart_hashes() == finished.mart_hashes()
    verified = finished.tieout_json("audit", "verify", "--expect", made["audit_head"])
    assert verified["ok"], verified
    assert verified["evidence"]["files"] == made["evidence_files"]
