"""Commands that need a vendor's connector: built from configuration and secrets only when such a command runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.cli.output import console, print_json
from orchestration.cli.problems import CliError
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from connectors.records import CheckResult
    from orchestration.lib.connections import Connections
    from orchestration.lib.registry import Registry
    from orchestration.lib.settings import Settings
    from orchestration.outbox import Preview


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """One thing tried at one account (`vendor/account`), and what a person should do when it did not work. With
    `is_warning` the account works all the same.
    """

    account: str
    name: str
    ok: bool
    detail: str
    action: str
    is_warning: bool = False


def check_accounts(session: Session, registry: Registry) -> Iterator[AccountCheck]:
    """Call every enabled account: host, key, company, permissions. One that fails does not stop the others."""
    from connectors.errors import AuthError, ConnectorError
    from orchestration.lib.connections import Connections

    connections = Connections(registry, session.settings)
    for vendor in registry.vendors:
        for account in registry.accounts_of(vendor):
            label = f"{vendor}/{account}"
            try:
                results = connections.connector(vendor, account).check()
            except ConnectorError as error:
                action = (
                    "Put the secret into the environment (or the --env-file)." if isinstance(error, AuthError) else ""
                )
                yield AccountCheck(label, "connect", False, str(error), action or "Correct the configuration.")
                continue
            if results and results[0].ok:
                results += _rights(connections, registry, session.settings, vendor, account)
            for result in results:
                name = result.name.removeprefix(f"{account}: ")
                yield AccountCheck(label, name, result.ok, result.detail, result.action, result.is_warning)


def _rights(
    connections: Connections, registry: Registry, settings: Settings, vendor: str, account: str
) -> list[CheckResult]:
    """What the account may do beside what it needs; an account that fails meanwhile has said so already."""
    from connectors.errors import ConnectorError
    from orchestration.lib.rights import kinds_switched_on

    try:
        return connections.rights(vendor, account, kinds_switched_on(registry, settings, vendor, account))
    except ConnectorError:
        return []


def previews(
    session: Session, keys: Sequence[str] | None = None, kinds: Collection[str] | None = None
) -> list[Preview]:
    """The exact requests of everything PROPOSED or APPROVED (of `kinds` only), or of `keys`. Sends nothing."""
    from orchestration.lib.connections import Connections
    from orchestration.lib.registry import load_registry

    registry = load_registry(session.settings.config_dir)
    deliveries = Connections(registry, session.settings).deliveries()
    if not deliveries:
        raise CliError(
            "no account can deliver: their secrets are missing or they are switched off",
            action="`tieout doctor` says which variable is not set.",
        )
    return session.require_outbox().preview(deliveries, keys=keys, kinds=kinds)


def preview_requests(session: Session, *, keys: Sequence[str] | None = None) -> None:
    """Print the requests."""
    found = previews(session, keys)
    if session.as_json:
        print_json({"requests": previews_json(found)})
        return
    show_previews(found)


def previews_json(found: Sequence[Preview]) -> list[dict[str, object]]:
    return [
        {
            "kind": preview.kind,
            "vendor": preview.vendor,
            "account": preview.account,
            "action_keys": list(preview.action_keys),
            "requests": [
                {"method": r.method, "url": r.url, "headers": dict(r.headers), "body": r.body} for r in preview.requests
            ],
        }
        for preview in found
    ]


def show_previews(found: Sequence[Preview]) -> None:
    """The requests as they would be sent, with secrets replaced by `***`."""
    out = console()
    if not found:
        out.print("Nothing would be sent.", style="dim")
        return
    for preview in found:
        count = len(preview.action_keys)
        what = preview.action_keys[0] if count == 1 else f"{count:,} {preview.kind} actions in one call"
        out.print(f"{what} → {preview.vendor} {preview.account}", style="bold", markup=False)
        for request in preview.requests:
            out.print(f"  {request.method} {request.url}", style="cyan", markup=False)
            for name, value in request.headers.items():
                out.print(f"  {name}: {value}", style="dim", markup=False)
            for line in request.body.splitlines():
                out.print(f"    {line}", markup=False)
    requests = sum(len(preview.requests) for preview in found)
    actions = sum(len(preview.action_keys) for preview in found)
    words = f"{requests:,} request{'' if requests == 1 else 's'} for {actions:,} action{'' if actions == 1 else 's'}"
    out.print(f"{words}; nothing was sent.", style="dim")
