"""The command group: commands of other packages, and one place where every exception becomes two sentences and an exit
code.
"""

from __future__ import annotations

import sys
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command as command_of

from orchestration.cli.problems import CliError, Problem, problem_of

PLUGIN_GROUP = "tieout.commands"
"""Entry points of this group are commands: a function as typer takes it, or a typer.Typer with several."""


class TieoutGroup(TyperGroup):
    """Loads a plugin's command only when it is asked for, so that others do not pay for its imports."""

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        return {
            point.name: point for point in sorted(entry_points(group=PLUGIN_GROUP)) if point.name not in self.commands
        }

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self._plugins]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None or cmd_name not in self._plugins:
            return command
        command = self._load(self._plugins[cmd_name])
        self.commands[cmd_name] = command
        return command

    def _load(self, point: EntryPoint) -> Any:
        try:
            target = point.load()
        except Exception as error:
            # The other commands must go on working, and --help must still list this one.
            return self._broken(point, error)
        if not isinstance(target, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command(name=point.name)(target)
            target = single
        command = command_of(target)
        command.name = point.name
        return command

    def _broken(self, point: EntryPoint, error: Exception) -> Any:
        words = f"cannot be loaded from {point.value}: {type(error).__name__}: {error}"
        single = typer.Typer(add_completion=False)

        @single.command(
            name=point.name, help=words, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
        )
        def fail() -> None:
            raise CliError(
                f"the command {point.name} {words}", action="Install what it needs, or mend the package."
            ) from error

        return command_of(single)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if hasattr(error, "format_message"):  # the command line itself was wrong; typer shows usage and ends with 2
                raise
            session = ctx.obj
            if getattr(session, "debug", False):
                raise
            problem = problem_of(error)
            show_problem(problem, as_json=bool(getattr(session, "as_json", False)))
            raise typer.Exit(int(problem.code)) from error


def show_problem(problem: Problem, *, as_json: bool) -> None:
    """People read it on standard error; with --json it is the document on standard output."""
    from orchestration.cli.output import console, print_json
    from orchestration.lib.secret_store import redact

    problem = Problem(problem.code, tuple(redact(message) for message in problem.messages), problem.action)
    if as_json:
        print_json(
            {"error": {"messages": problem.messages, "action": problem.action or None, "exit_code": int(problem.code)}}
        )
        return
    from rich.text import Text

    out = console(stderr=True)
    for message in problem.messages:
        out.print(Text.assemble(("error: ", "bold red"), message))
    if problem.action:
        out.print(Text(problem.action))
    sys.stderr.flush()
