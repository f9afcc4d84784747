"""`tieout app`: serve the web app, and keep its users."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import system_user

if TYPE_CHECKING:
    from app.asking import Site
    from app.settings import AppSettings
    from app.signing.users import Users
    from orchestration.lib.settings import Settings

DEFAULT_PORT = 8200
LOOPBACK = ("127.0.0.1", "localhost", "::1")

app = typer.Typer(
    help="The web app: what needs you, any id explained, decisions, approvals, the close.", add_completion=False
)

Folder = Annotated[
    Path | None, typer.Option("--dir", help="Folder of `make demo` (or another with a file `env`) to look at.")
]


@app.callback(invoke_without_command=True)
def serve(
    ctx: typer.Context,
    directory: Folder = None,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need users.")] = LOOPBACK[
        0
    ],
) -> None:
    """Serve the web app until stopped (Ctrl+C)."""
    if directory is not None:
        _use(directory)
    if ctx.invoked_subcommand is not None:
        return
    import uvicorn

    from app.server import create_app

    site = open_site()
    if host not in LOOPBACK and site.link_token:
        raise CliError(
            f"on {host} others could come in, and there are no users",
            action="Add one with `tieout app user NAME --role …`, or set TIEOUT_APP_OIDC_ISSUER.",
            code=ExitCode.CONFIGURATION,
        )
    base = site.url or f"http://{host if host != '::1' else '[::1]'}:{port}"
    typer.echo(_greeting(site, base))
    # Forwarded headers are believed only where the app is told that it stands behind a proxy.
    uvicorn.run(
        create_app(site),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(site.url),
    )


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="The name they sign in and sign with.")],
    role: Annotated[list[str], typer.Option("--role", "-r", help="viewer, preparer, approver, service, admin.")],
    team: Annotated[list[str] | None, typer.Option("--team", "-t", help="FINANCE, OPERATIONS …; default all.")] = None,
) -> None:
    """Add a user, or give one another password, roles and teams. Asks for the password."""
    from app.people import Role
    from app.signing.users import UsersInvalid

    if unknown := [one for one in role if one not in tuple(Role)]:
        raise CliError(f"{unknown[0]!r} is no role", action=f"Roles: {', '.join(Role)}.", code=ExitCode.USAGE)
    settings, own = _read_settings()
    users = users_of(settings, own)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        users.put(name, password, [Role(one) for one in role], team or [])
    except UsersInvalid as error:
        raise CliError(str(error), action="Nothing was changed.") from error
    typer.echo(f"{name} may sign in as {', '.join(role)} ({users.path}).")


def _use(folder: Path) -> None:
    """Take the folder's environment. It wins over `.env` and what is set: the folder was asked for by name."""
    from dotenv import dotenv_values

    file = folder / "env"
    if not file.is_file():
        raise CliError(
            f"{file} does not exist",
            action="`make demo` makes the folder .tieout/demo; or leave --dir out and use --env-file.",
            code=ExitCode.CONFIGURATION,
        )
    os.environ.update({name: value for name, value in dotenv_values(file).items() if value is not None})


def open_site() -> Site:
    """Everything the app needs, from the environment. Raises CliError when users or roles are configured wrongly."""
    from app.asking import Site
    from app.marts import Marts
    from app.people import Person, Role, role_map
    from app.signing.users import UsersInvalid

    settings, own = _read_settings()
    users = users_of(settings, own)
    try:
        is_empty = users.is_empty()
        role_map(own.oidc_roles)
    except (UsersInvalid, ValueError) as error:
        raise CliError(str(error), action="Correct it.", code=ExitCode.CONFIGURATION) from error
    site = Site(settings, own, Marts(settings.published_path), users)
    if is_empty and not own.oidc_issuer:
        site.link_token = secrets.token_urlsafe(24)
        site.link_person = Person(system_user(), frozenset({Role.ADMIN}))
    return site


def users_of(settings: Settings, own: AppSettings) -> Users:
    """The users file of a data folder."""
    from app.signing.users import Users

    return Users(own.users_file or settings.secrets_dir / "app-users.csv")


def _read_settings() -> tuple[Settings, AppSettings]:
    from app.settings import AppSettings
    from orchestration.lib.settings import Settings

    return Settings(), AppSettings()


def _greeting(site: Site, base: str) -> str:
    lines = []
    if not site.settings.published_path.is_file():
        lines.append(f"Nothing is published in {site.settings.root} yet: `make demo`, or `tieout run settlement`.")
    if site.link_token:
        assert site.link_person is not None
        lines.append(f"There are no users yet. This link signs you in once, as {site.link_person.name}:")
        lines.append(f"  {base}/sign-in/link/{site.link_token}")
    else:
        lines.append(f"Tieout answers at {base}")
    return "\n".join([*lines, "Ctrl+C ends it."])
