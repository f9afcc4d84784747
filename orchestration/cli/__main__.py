"""`python -m orchestration.cli` is the same as `tieout`."""

from __future__ import annotations

from orchestration.cli import main

if __name__ == "__main__":
    main()
