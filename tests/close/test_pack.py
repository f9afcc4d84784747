"""The evidence pack: what it holds, that nothing in it runs, and that a changed byte is found."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from orchestration.close.pack import Pack, write_pack
from orchestration.close.verify import verify_pack
from orchestration.lib.settings import Settings, parse_stamp
from orchestration.outbox import Figure, Outbox, Role
from tests.close.books import EVIL, build

NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    folder = tmp_path_factory.mktemp("pack")
    settings = Settings(data_dir=folder / "data", as_of=parse_stamp("2026-07-03T08:00:00Z"))
    outbox = Outbox(settings.outbox_address, settings.clock)
    figures = [Figure("M", "LEDGER MARKETPLACE_CLEARING", "GBP", "39.00")]
    outbox.closing.sign("E", "2026-06", Role.PREPARER, figures, by="Anna Smith")
    yield write_pack(settings, build(settings.published_path), outbox, "E", "2026-06", folder / "packs")
    outbox.close()


@pytest.fixture
def pack(written: Pack, tmp_path: Path) -> Path:
    """A copy of the folder, to be spoilt."""
    return Path(shutil.copytree(written.folder, tmp_path / written.folder.name))


def reseal(pack: Path) -> None:
    """What somebody does who wants a changed pack to look untouched: every hash anew."""
    manifest = json.loads((pack / "manifest.json").read_text())
    for entry in manifest["files"]:
        entry["sha256"] = hashlib.sha256((pack / entry["path"]).read_bytes()).hexdigest()
    (pack / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    digest = hashlib.sha256((pack / "manifest.json").read_bytes()).hexdigest()
    (pack / "manifest.sha256").write_text(f"{digest}  manifest.json\n")


def test_a_pack_holds_and_so_does_its_archive(written: Pack) -> None:
    for path in (written.folder, written.archive):
        report = verify_pack(path, expected=written.manifest_sha256)
        assert report.problems == []
        assert (report.files, report.rows > 40, report.sums > 20) == (written.files - 2, True, True)


def test_the_same_input_gives_the_same_pack(written: Pack, tmp_path: Path) -> None:
    settings = Settings(data_dir=written.folder.parents[1] / "data", as_of=parse_stamp("2026-07-03T08:00:00Z"))
    outbox = Outbox(settings.outbox_address, settings.clock)
    again = write_pack(settings, settings.published_path, outbox, "E", "2026-06", tmp_path)
    outbox.close()
    assert again.manifest_sha256 == written.manifest_sha256
    assert again.archive.read_bytes() == written.archive.read_bytes()


def test_one_changed_byte_anywhere_is_found(pack: Path) -> None:
    rng = random.Random(7)
    for path in sorted(path for path in pack.rglob("*") if path.is_file()):
        content = path.read_bytes()
        place = rng.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not verify_pack(pack).ok, f"{path.name} at {place}"
        path.write_bytes(content)
    assert verify_pack(pack).ok


def test_one_changed_byte_of_the_archive_is_found(written: Pack, tmp_path: Path) -> None:
    archive = Path(shutil.copy(written.archive, tmp_path))
    shutil.copy(written.archive.with_name(f"{written.archive.name}.sha256"), tmp_path)
    content = archive.read_bytes()
    for place in random.Random(7).sample(range(len(content)), 20):
        archive.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not verify_pack(archive).ok, place


def test_files_that_are_missing_or_extra_are_found(pack: Path) -> None:
    (pack / "rows" / "note.txt").write_text("harmless")
    assert verify_pack(pack).problems == ["rows/note.txt is not in the manifest"]
    (pack / "rows" / "note.txt").unlink()
    (pack / "rows" / "cycles.csv").unlink()
    assert verify_pack(pack).problems == ["rows/cycles.csv is missing"]
    shutil.rmtree(pack)
    assert not verify_pack(pack).ok


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("journal_lines", ",100.00,0.00,", ",100.01,0.00,", "debit in GBP adds up to 169.01, not 169.00"),
        ("tie_out", ",-6.00", ",-7.00", "ledger less marketplace less items, M GBP is 0, but adds up to 1.00"),
        ("settlement_lines", ",0.01,GBP", ",0.02,GBP", "amount in GBP adds up to 0.31, not 0.30"),
        ("roll_forward", ",5.00,100.00,-60.00,", ",5.00,101.00,-61.00,", "settlement_amount in GBP adds up to 101"),
    ],
)
def test_a_forger_who_renews_every_hash_is_found_by_the_sums(
    pack: Path, written: Pack, file: str, old: str, new: str, problem: str
) -> None:
    path = pack / "rows" / f"{file}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    reseal(pack)
    problems = verify_pack(pack).problems
    assert any(problem in one for one in problems), problems
    assert any("noted" in one for one in verify_pack(pack, expected=written.manifest_sha256).problems)


@pytest.mark.parametrize(
    ("name", "old", "new", "sums", "problems"),
    [
        (
            "roll_forward",
            ",5.00,100.00,-60.00,",
            ",5.00,101.00,-61.00,",
            {"settlement_amount": "101.00", "receipt_amount": "-61.00"},
            ["settled is 101.00, but adds up to 100.00", "received is -61.00, but adds up to -60.00"],
        ),
        (
            "account_roll_forward",
            ",130.00,-10.00,",
            ",131.00,-10.00,",
            {"invoice_amount": "131.00"},
            ["closing is 20.00, but adds up to 21.00"],
        ),
        (
            "vat_support",
            ",20.00,GBP",
            ",21.00,GBP",
            {"tax_amount": "5.00"},
            ["its support less the ledger is 0, but adds up to 1.00"],
        ),
    ],
)
def test_a_forger_who_renews_the_sums_as_well_is_found_by_the_accounts(
    pack: Path, name: str, old: str, new: str, sums: dict[str, str], problems: list[str]
) -> None:
    path = pack / "rows" / f"{name}.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    (pack / "rows" / f"{name}.parquet").unlink()
    manifest = json.loads((pack / "manifest.json").read_text())
    manifest["files"] = [one for one in manifest["files"] if one["path"] != f"rows/{name}.parquet"]
    for total in manifest["totals"]:
        if total["file"] == f"rows/{name}.csv":
            total["sum"] = sums.get(total["column"], total["sum"])
    (pack / "manifest.json").write_text(json.dumps(manifest))
    reseal(pack)
    assert [one.split(": ")[1] for one in verify_pack(pack).problems] == problems


def test_nothing_in_the_pack_is_a_formula_from_outside(written: Pack) -> None:
    text = (written.folder / "rows" / "exceptions.csv").read_text()
    assert f"\"'{EVIL[:-1].replace(chr(34), chr(34) * 2)}" in text
    assert ",'-1+1|cmd," in text
    with zipfile.ZipFile(written.folder / "close-E-2026-06.xlsx") as book:
        sheets = {name: book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")}
    formulas = [found for sheet in sheets.values() for found in re.findall(r"<f>(.*?)</f>", sheet)]
    assert formulas
    area = r"('[A-Za-z -]+'!)?[A-Z]+2:[A-Z]+\d+"
    ours = (
        rf"SUBTOTAL\(9,{area}\)|[-+A-Z0-9]+|IF\([A-Z]+\d+=\"\",0,[-+A-Z0-9]+\)"
        rf"|SUMIFS\({area},{area},\"<>true\"\)|ROUND\([-+]?((SUM\({area}\)|SUMIFS\({area},{area},\"\w+\"\))[-+]?)+,2\)"
    )
    formulas = [unescape(formula) for formula in formulas]
    assert [formula for formula in formulas if not re.fullmatch(ours, formula)] == []
    assert any("HYPERLINK" in sheet for sheet in sheets.values())  # it is there, as text


def sheet_of(pack: Pack, title: str) -> dict[str, tuple[str | None, str | None]]:
    """Cells of a sheet by name: formula and value."""
    with zipfile.ZipFile(pack.folder / "close-E-2026-06.xlsx") as book:
        names = [sheet.get("name") for sheet in fromstring(book.read("xl/workbook.xml")).find("x:sheets", NAMESPACE)]
        assert names[:5] == ["Cover", "Checklist", "Bridge", "Cycles", "Roll-forward"]
        sheet = fromstring(book.read(f"xl/worksheets/sheet{names.index(title) + 1}.xml"))
    return {
        str(cell.get("r")): (cell.findtext("x:f", None, NAMESPACE), cell.findtext("x:v", None, NAMESPACE))
        for cell in sheet.iter(f"{{{NAMESPACE['x']}}}c")
    }


def test_what_must_be_nil_stands_on_the_cover_and_follows_the_sheets(written: Pack) -> None:
    proofs = {formula: value for formula, value in sheet_of(written, "Cover").values() if formula}
    assert list(proofs.values()) == ["0.00"] * 5
    assert "ROUND(SUMIFS('VAT'!M2:M4,'VAT'!E2:E4,\"false\"),2)" in proofs
    assert any(formula.startswith("ROUND(SUMIFS('Tie-out'!G2:") for formula in proofs)
    vat = sheet_of(written, "VAT")
    assert vat["M5"] == ('SUMIFS(M2:M4,E2:E4,"<>true")', "0.00"), "a memo is in no sum"
    figures = sheet_of(written, "First closed, restated")
    assert figures["H2"] == ('IF(D2="",0,E2-D2-F2)', "0.00"), "nothing was closed first yet"


def test_the_workbook_adds_up_where_a_reviewer_would(written: Pack) -> None:
    cells = sheet_of(written, "Roll-forward")
    found = {name: cells[name] for name in ("O2", "P2", "I3")}
    assert found == {
        "O2": ("E2+F2+G2+H2-I2", "0.00"),
        "P2": ("I2+J2+K2+L2+M2-N2", "0.00"),
        "I3": ("SUBTOTAL(9,I2:I2)", "45.00"),
    }
