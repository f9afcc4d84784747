"""Mail addresses and telephone numbers that somebody wrote where anybody reads: no page shows them. Then each place in
the pages that covers them is taken away in turn, found by its name in the source, and some page must show them.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.asking import Site
from app.rendering import NAVIGATION
from orchestration.outbox.changes import Change
from orchestration.outbox.closing import Role
from orchestration.outbox.decisions import Subject, WriteOffLimits
from tests.app import marts
from tests.app.conftest import SignedIn
from tests.app.serving import Visitor
from tests.redactions import places, taken_away

MAIL, TELEPHONE = "jo.doe@example.org", "+44 20 7946 0958"
WORDS = f"{MAIL} rang, call {TELEPHONE}"
ACCEPTED, GIVEN_UP = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
MASKING = frozenset({"masked"})
READERS = ("vera", "paul", "sara")
"""Who only reads, who decides, and who may look at customers, but has not asked to."""


@pytest.fixture
def written(site: Site) -> str:
    """Everything that people can write, with a person in it; the key of an action that was refused with such words."""
    figure = {"period": "2026-06", "figure_code": "CLEARING", "currency_code": "GBP", "restated_amount": "79.10"}
    check = {"period": "2026-06", "check_code": "05_BANK", "title": "Bank matched", "is_blocking": "true"}
    told = {"exception_id": ACCEPTED, "event_at": "2026-07-02 08:00:00", "event_type": "ACCEPTED", "reason": WORDS}
    changes = {
        "close_readiness": [check | {"is_done": "true", "open_count": "0"}],
        "period_figures": [figure],
        "exception_history": [told],
    }
    marts.build(site.settings.published_path, changes)
    outbox = site.outbox
    key = str(next(row for row in outbox.actions() if row["kind"] == "JOURNAL")["action_key"])
    outbox.note(key, WORDS, actor="tieout")
    outbox.reject([key], by="ann", reason=WORDS)
    outbox.notes.comment([(GIVEN_UP, "BRICO")], WORDS, by="paul")
    outbox.notes.look_up("O-1", WORDS, by="sara")
    about = Subject("BRICO", "ORDER", "O-9", "UKTRADE", exception_id=ACCEPTED, exception_code="BNK-001")
    outbox.decisions.accept(about, by="paul", reason=WORDS)
    money = Subject(
        "BRICO",
        "ORDER",
        "O-8",
        "UKTRADE",
        exception_id=GIVEN_UP,
        exception_code="ORD-001",
        amount=Decimal("9999.00"),
        currency_code="GBP",
    )
    outbox.decisions.write_off(money, WriteOffLimits(None, None), by="paul", reason=WORDS)
    paid = Subject("BRICO", "PAYOUT", "C-2", "UKTRADE", receipt_id="BARC_GBP-R9")
    outbox.decisions.match(paid, by="paul", reason=WORDS)
    outbox.changes.propose(Change("carriers.csv", None, {"erp_code": "SAGE_UK"}, "0" * 64), by="paul", reason=WORDS)
    outbox.closing.sign("UKTRADE", "2026-06", Role.PREPARER, [], by="paul", reason=WORDS)
    return key


def shown(visitor: Visitor, action: str) -> list[str]:
    """Addresses of the pages on which the person stands."""
    paths = [path for path, _ in NAVIGATION]
    paths += [f"/exceptions/{ACCEPTED}", f"/exceptions/{GIVEN_UP}", "/close/UKTRADE/2026-06", "/orders/BRICO/O-1"]
    paths += ["/mappings?file=carriers.csv", "/actions/" + action.replace("|", "%7C"), "/payouts/BRICO/C-1"]
    found = []
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        if MAIL in answer.text or TELEPHONE in answer.text:
            found.append(path)
    return found


def test_no_page_shows_a_person_that_somebody_wrote_down(signed_in: SignedIn, written: str) -> None:
    assert {name: shown(signed_in(name), written) for name in READERS} == {name: [] for name in READERS}


@pytest.mark.parametrize("place", places(["app/pages"], MASKING))
def test_without_any_one_mask_a_page_shows_the_person(
    signed_in: SignedIn, written: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    taken_away(monkeypatch, place, MASKING)
    assert any(shown(signed_in(name), written) for name in READERS)
