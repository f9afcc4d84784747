"""Customers are cut out of the evidence and lie under a key for each order: without the key they are gone, from the
files and from every backup, and no row, hash or proof has changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.testing import CliRunner

from connectors.decoding import record_hash
from connectors.feeds import feed_spec
from connectors.personal import PERSONAL, cut
from connectors.records import Page, Window
from orchestration.cli.app import app
from orchestration.lib import customers, erasing, integrity
from orchestration.lib.backup import backup
from orchestration.lib.erasing import NoSuchPerson
from orchestration.lib.landing import Landing
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.persons import NONCE_BYTES, Persons, PersonsUnavailable, sealed_of
from orchestration.lib.settings import Settings
from orchestration.lib.state import LandedFile, State
from orchestration.outbox import Outbox
from orchestration.outbox.notes import About

ORDERS = feed_spec("mirakl", "orders")
AT = "2026-11-23T00:00:00.000000Z"
NAMES = ("Ann Canary", "Bob Canary")
MEMBERS = ("Canary", "canary@person.example", "12 Canary Road", "1CA")


def order(order_id: str, name: str | None, price: str = "10.00") -> str:
    """As a vendor may write it: with spaces, escapes, and members in an order of its own."""
    place = {"firstname": name, "street_1": "12 Canary Road", "zip_code": "YO1 1CA", "country_iso_code": "GBR"}
    customer = {"shipping_address": place, "billing_address": place, "civility": None} if name else None
    fields = [{"code": "note", "value": f"for {name}"}] if name else []
    return (
        f'{{"customer_notification_email": {json.dumps("canary@person.example" if name else "")},\n'
        f'"price":{price}, "order_id":"{order_id}", "customer" : {json.dumps(customer, indent=1)},'
        '"created_date":"2026-07-01T10:00:00Z", "last_updated_date":"2026-07-01T10:00:00Z",'
        '"currency_iso_code":"GBP","order_state":"SHIPPED","shipping_price":0.0,'
        f'"total_price":{price},"order_additional_fields":{json.dumps(fields)},'
        '"order_lines":[]}'
    )


def page(*orders: str) -> Page:
    return Page(
        entity="orders",
        number=1,
        body=f'{{ "orders": [{", ".join(orders)}], "total_count": {len(orders)} }}'.encode(),
        url="https://shop.example/api/orders",
        status=200,
        fetched_at=datetime(2026, 7, 3, 8, tzinfo=UTC),
        record_count=len(orders),
        record_hashes=tuple(record_hash(one.encode()) for one in orders),
        declared_count=len(orders),
        cursor="2026-07-01T10:00:00Z",
    )


class Source:
    def __init__(self, *pages: Page) -> None:
        self._pages = pages

    def pages(self, entity: str, window: Window) -> Iterator[Page]:
        yield from self._pages


def land(settings: Settings, *pages: Page) -> list[LandedFile]:
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(ORDERS, "BRICO", Source(*pages), overlap=timedelta(hours=1))
        return state.files()


@pytest.fixture
def landed(settings: Settings) -> LandedFile:
    (file,) = land(settings, page(order("A-1", NAMES[0]), order("A-2", NAMES[1]), order("A-3", None)))
    return file


def rows(body: bytes) -> dict[str, Any]:
    decoded = ORDERS.decoded(body, "")
    assert decoded.rejects == []
    return {
        name: table.drop_columns(["_hash"] if "_hash" in table.column_names else [])
        for name, table in decoded.tables.items()
    }


def everything(folder: Path) -> bytes:
    """All bytes that lie there, and what is packed unpacked."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    packed = [zstandard.ZstdDecompressor().decompress(path.read_bytes()) for path in files if path.suffix == ".zst"]
    return b"".join([*(path.read_bytes() for path in files), *packed])


def test_nobody_is_in_the_evidence_and_every_row_is_as_it_was(settings: Settings, landed: LandedFile) -> None:
    received = page(order("A-1", NAMES[0]), order("A-2", NAMES[1]), order("A-3", None)).body
    stored = LandingFiles(settings.landing).read(landed.path)
    assert rows(stored) == rows(received)
    assert rows(stored)["mirakl_orders"]["ship_to_postcode_district"].to_pylist() == ["YO1", "YO1", None]
    left = everything(settings.root)
    assert all(text.encode() in received for text in MEMBERS)
    assert [text for text in MEMBERS if text.encode() in left] == []
    assert integrity.verify(settings).problems == []


def test_with_the_keys_the_page_is_the_one_that_was_received(settings: Settings, landed: LandedFile) -> None:
    received = page(order("A-1", NAMES[0]), order("A-2", NAMES[1]), order("A-3", None)).body
    assert erasing.received_page(settings, landed.path, landed.sha256) == received
    (found,) = erasing.shown(settings, "A-1")
    assert found["members"][0] == "canary@person.example"
    assert found["members"][1]["shipping_address"]["firstname"] == "Ann Canary"


def test_no_nonce_comes_twice(settings: Settings, landed: LandedFile) -> None:
    sealed = sealed_of(LandingFiles(settings.landing).stored(landed.path))
    assert len({one.content[:NONCE_BYTES] for one in sealed}) == len(sealed) > 1


def test_erasing_the_key_erases_the_person_and_nobody_else(
    settings: Settings, landed: LandedFile, tmp_path: Path
) -> None:
    with Persons(settings.persons_path) as persons:
        (key,) = persons.keys(["A-1"]).values()
    backup(settings, tmp_path / "copy")
    assert erasing.erase(settings, ["A-1", "NOBODY"], by="Dana", reason="asked for it") == ["A-1"]
    assert key not in everything(settings.root)  # neither in the table's free space nor in its log
    assert (
        key not in everything(tmp_path / "copy" / "data" / "landing") + (tmp_path / "copy/data/state.db").read_bytes()
    )
    assert not (tmp_path / "copy" / "data" / "secrets").exists()
    with pytest.raises(NoSuchPerson, match="erased on 2026-07-03 by Dana"):
        erasing.shown(settings, "A-1")
    assert len(erasing.shown(settings, "A-2")) == 1
    assert erasing.received_page(settings, landed.path, landed.sha256) is None
    with State(settings.state_path) as state:
        sealed = {seal.subject: json.loads(seal.content)["by"] for seal in state.seals() if seal.kind == "ERASURE"}
    assert sealed == {"A-1": "Dana", "NOBODY": "Dana"}
    assert integrity.verify(settings).problems == []
    # The vendor still has the order, and it changes: it comes again, without its customer.
    newest = land(settings, page(order("A-1", NAMES[0], "11.00"), order("A-2", NAMES[1], "11.00")))[-1]
    assert [one.order_id for one in sealed_of(LandingFiles(settings.landing).stored(newest.path))] == ["A-2"]
    with pytest.raises(NoSuchPerson):
        erasing.shown(settings, "A-1")
    assert len(erasing.shown(settings, "A-2")) == 2


def test_keys_or_a_chain_that_were_put_back_erase_again(settings: Settings, landed: LandedFile) -> None:
    before = {name: getattr(settings, name).read_bytes() for name in ("persons_path", "state_path")}
    erasing.erase(settings, ["A-1"], by="Dana", reason="asked for it")
    settings.persons_path.write_bytes(before["persons_path"])
    assert ["A-1" in words for words in integrity.verify(settings).problems] == [True]
    assert erasing.reapply(settings) == (["A-1"], 0)
    assert integrity.verify(settings).problems == []
    with closing(sqlite3.connect(settings.state_path)) as connection:
        connection.execute("pragma journal_mode = delete")
    settings.state_path.write_bytes(before["state_path"])
    with pytest.raises(NoSuchPerson):
        erasing.shown(settings, "A-1")
    assert erasing.reapply(settings) == ([], 1)
    assert integrity.verify(settings).problems == []


def test_one_persons_pieces_are_not_taken_for_anothers(settings: Settings, landed: LandedFile) -> None:
    path = Path(settings.landing) / landed.path.removeprefix("landing/")
    path.write_bytes(path.read_bytes().replace(b"A-1", b"A-2"))
    with pytest.raises(PersonsUnavailable, match="A-2 are not what was written"):
        erasing.shown(settings, "A-2")
    assert [words for words in integrity.verify(settings).problems if "is not as it was landed" in words] != []


def test_what_is_older_than_the_retention_is_counted_and_then_erased(settings: Settings, landed: LandedFile) -> None:
    variables = {"TIEOUT_DATA_DIR": str(settings.data_dir), "TIEOUT_CONFIG_DIR": str(settings.config_dir)}

    def tieout(*arguments: str, at: str = "2028-07-03T08:00:00Z", code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["privacy", *arguments, "--json"], env=variables | {"TIEOUT_AS_OF": at})
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else None

    assert tieout("retention", "--by", "Dana")["orders"] == 0
    assert tieout("retention", at="2028-07-04T08:00:00Z")["orders"] == 2
    assert (
        tieout("show", "A-2", "--reason", "a parcel came back")["evidence"][0]["members"][0] == "canary@person.example"
    )
    customers.read_new(settings)
    assert tieout("find", "yo1 1ca", "--by", "Dana") == {"orders": ["A-1", "A-2"]}
    assert tieout("retention", "--erase", at="2028-07-04T08:00:00Z") == {"asked": 2, "erased": 2}
    assert tieout()["erased"] == 2
    tieout("show", "A-2", "--reason", "again", code=1)
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        assert [note["text"] for note in outbox.notes.about(About.ORDER, "A-2")] == [
            "a parcel came back",
            "searched by postcode",
            "again",
        ]
    finally:
        outbox.close()


def test_an_order_is_found_by_what_its_customer_has_until_the_customer_is_erased(
    settings: Settings, landed: LandedFile
) -> None:
    def found(text: str) -> list[str]:
        clue = customers.clue_of(text)
        return [] if clue is None else customers.orders_with(settings, clue)

    assert found("YO1 1CA") == []  # nobody has read the page yet
    assert customers.read_new(settings) == 1
    assert customers.read_new(settings) == 0
    assert found("yo11ca") == found("<Canary@person.example>") == ["A-1", "A-2"]
    assert customers.orders_beside(settings, "A-1") == ["A-2"]
    for text in ("YO1", "canary", "12 Canary Road", "Ann Canary", ""):
        assert found(text) == [], text
    assert [text for text in MEMBERS if text.encode() in settings.persons_path.read_bytes()] == []
    erasing.erase(settings, ["A-1"], by="Dana", reason="asked for it")
    assert found("YO1 1CA") == ["A-2"]
    land(settings, page(order("A-1", NAMES[0], "11.00")))
    assert customers.read_new(settings) == 0  # it comes without its customer
    assert found("YO1 1CA") == ["A-2"]


def test_keys_of_before_there_were_clues_are_read_with_the_next_run(settings: Settings, landed: LandedFile) -> None:
    with closing(sqlite3.connect(settings.persons_path)) as connection:
        connection.executescript("drop table clues; drop table unread; drop table salt; pragma user_version = 0")
    assert customers.read_new(settings) == 1
    assert customers.orders_with(settings, (customers.Clue.POSTCODE, "yo11ca")) == ["A-1", "A-2"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"orders": 1}', b'{"orders":[{"order_id":"\xff"}]}']
)
def test_a_page_that_is_none_of_the_vendors_is_kept_as_it_came(body: bytes) -> None:
    found = cut(ORDERS, body)
    assert found is None or found.restored() == body


def test_every_feed_that_is_cut_is_limited_by_retention() -> None:
    from orchestration.lib.settings import DEFAULT_CONFIG_DIR

    limited = (DEFAULT_CONFIG_DIR / "retention.csv").read_text()
    assert [f"{vendor},{entity}" for vendor, entity in PERSONAL if f"{vendor},{entity}," not in limited] == []


def test_pages_that_ask_at_the_same_time_get_the_same_keys(tmp_path: Path) -> None:
    """Each page answered, by whichever thread came first; an order on several pages has one key, an erased one none."""
    pages = {f"landing/{page}": [f"{page}-{number}" for number in range(20)] + ["shared", "gone"] for page in range(40)}
    with Persons(tmp_path / "keys.db") as persons:
        persons.erase(["gone"], at=AT, by="test", reason="test")
        with ThreadPoolExecutor(max_workers=8) as threads:
            answers = list(threads.map(lambda page: persons.keys_for(page[1], page[0], at=AT), pages.items()))
        for (path, orders), keys in zip(pages.items(), answers, strict=True):
            assert list(keys) == orders[:-1]
            assert persons.keys(orders) == keys
            assert persons.places(orders[0]) == [path]
        assert persons.places("shared") == sorted(pages)
        assert persons.unread() == sorted(pages)
        assert len({key for keys in answers for key in keys.values()}) == 40 * 20 + 1


def test_a_page_that_cannot_be_answered_does_not_stop_the_next(tmp_path: Path) -> None:
    with Persons(tmp_path / "keys.db") as persons:
        with pytest.raises(sqlite3.Error):
            persons.keys_for(["A"], "landing/1", at=None)  # type: ignore[arg-type]
        assert list(persons.keys_for(["B"], "landing/2", at=AT)) == ["B"]
        assert persons.keys(["A"]) == {}
