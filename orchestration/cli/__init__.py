"""The `tieout` command line."""

from __future__ import annotations

from orchestration.lib.collecting import collect_rarely


def main() -> None:
    """Entry point of the console script; ends the process with one of the documented exit codes."""
    collect_rarely()
    from orchestration.cli.app import app

    app(prog_name="tieout")


__all__ = ["main"]
