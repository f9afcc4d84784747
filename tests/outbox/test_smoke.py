from __future__ import annotations

from .world import *


def test_x(outbox, tmp_path):
    r = outbox.propose(table(journal(), stock("A", 5), stock("B", 0)))
    assert len(r.proposed) == 3, r
    p = outbox.apply_policy(AUTO, ON, True)
    assert len(p.approved) == 3
    v = FileVendor(tmp_path / "v")
    w = FileVendor(tmp_path / "w", kind="STOCK")
    d = outbox.deliver({("JOURNAL", "SAGE_UK"): v, ("STOCK", "BRICO"): w})
    print(d)
    assert d.verified == 3
    rep = outbox.verify_audit()
    assert rep.ok, rep
    print(outbox.snapshot().to_pylist()[0])
