"""Run by the crash tests as a process of its own: proposes, approves and delivers, and is killed by the vendor on the
way.

Arguments: database URL, file of the vendor's memory, moment of death (`before`, `after`, `none`), number of journals.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from outbox.world import AUTO, ON, FileVendor, PinnedClock, journal, stock, table

    from orchestration.outbox import Outbox

    url, memory, moment, count, kind = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    box = Outbox(url, PinnedClock())
    rows = [journal(f"j{n}") if kind == "JOURNAL" else stock(f"S{n}", n) for n in range(count)]
    box.propose(table(*rows))
    box.apply_policy(AUTO, ON, True)
    vendor = FileVendor(memory, kind=kind, die_in=None if moment == "none" else moment)
    account = {"JOURNAL": "SAGE_UK", "STOCK": "BRICO"}[kind]
    box.deliver({(kind, account): vendor})
