"""`tieout auth sage200`: a person's consent at Sage ID, which is where the first refresh token comes from."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from orchestration.cli.output import Col, console, print_json, table
from orchestration.cli.problems import CliError, ExitCode
from orchestration.cli.session import Session

if TYPE_CHECKING:
    from connectors.sage200.sign_in import ConsentRequest
    from orchestration.lib.configuration import Erp

COLUMNS = (
    Col("mark", "", max_width=12),
    Col("site_id", "site_id", "code"),
    Col("site_name", "Site"),
    Col("company_id", "company_id", "code"),
    Col("company_name", "Company"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How the person is led through. `days` is the consent's life, `timeout` is seconds."""

    redirect_uri: str
    is_pasted: bool
    opens_browser: bool
    days: int
    authorize_url: str | None
    timeout: int


def auth_sage200_command(session: Session, erp_code: str, options: SignIn) -> None:
    """Sign in, keep the tokens, show which sites and companies they open. Ends with 1 when the consent fails."""
    from connectors.sage200.sign_in import authorize_url, consent_ends, redeem
    from orchestration.lib.connections import sage200_credentials

    erp = _erp(session, erp_code)
    client_id, client_secret = (_secret(f"SAGE200_{erp_code}_{part}") for part in ("CLIENT_ID", "CLIENT_SECRET"))
    token_url = erp.token_url or ""
    page = options.authorize_url or authorize_url(token_url)
    request, address = _consented(session, page, client_id, options)
    store = sage200_credentials(session.settings, erp_code)
    credentials = redeem(request, request.code(address), token_url, client_secret, store, consent_days=options.days)
    end = consent_ends(credentials)
    companies, problem = _companies(erp, client_id, client_secret, store)
    if session.as_json:
        ends_at = end.isoformat() if end else None
        print_json({"erp_code": erp_code, "consent_ends_at": ends_at, "companies": companies, "problem": problem})
        return
    out = console()
    out.print(f"{erp_code} is signed in. The consent ends on {end.date() if end else '?'}: sign in again before then.")
    if problem:
        out.print(problem, style="yellow", markup=False)
        return
    out.print(table(companies, COLUMNS))
    if not any(company["mark"] for company in companies):
        out.print(f"None of them is the site_id and company_id of {erp_code}: put one of them into erps.csv.")


def _erp(session: Session, erp_code: str) -> Erp:
    from orchestration.lib.registry import load_registry

    registry = load_registry(session.settings.config_dir)
    known = registry.accounts_of("sage200")
    if erp_code not in known:
        raise CliError(
            f"{erp_code} is no enabled Sage 200 company in erps.csv",
            action=f"There are: {', '.join(known) or 'none'}.",
            code=ExitCode.USAGE,
        )
    return registry.erp(erp_code)


def _secret(name: str) -> str:
    from orchestration.lib.secret_store import secret

    value = secret(name)
    if value is None:
        raise CliError(
            f"the environment variable {name} is not set",
            action="Put there what Sage sent you when it registered your application.",
            code=ExitCode.CONFIGURATION,
        )
    return value.get_secret_value()


def _consented(session: Session, page: str, client_id: str, options: SignIn) -> tuple[ConsentRequest, str]:
    """The sign-in, and the address that the person's browser was sent to."""
    from connectors.sage200.sign_in import ConsentRequest, LoopbackListener

    if options.is_pasted:
        request = ConsentRequest.begin(page, client_id, options.redirect_uri)
        _show(session, request, options)
        return request, typer.prompt("The address that your browser ended up at", err=session.as_json)
    with LoopbackListener(options.redirect_uri) as listener:
        request = ConsentRequest.begin(page, client_id, listener.redirect_uri)
        _show(session, request, options)
        return request, listener.wait(options.timeout)


def _show(session: Session, request: ConsentRequest, options: SignIn) -> None:
    """On standard error with --json, so that standard output stays one document."""
    import webbrowser

    typer.echo("Open this page and sign in as the Sage 200 user whose role Tieout shall have:", err=session.as_json)
    typer.echo(request.address, err=session.as_json)
    if options.opens_browser and not options.is_pasted:
        webbrowser.open(request.address)


def _companies(erp: Erp, client_id: str, client_secret: str, store: Any) -> tuple[list[dict[str, str]], str | None]:
    """What the consent opens; the reason when that cannot be told, which does not undo the consent."""
    from connectors.errors import ConnectorError
    from connectors.sage200 import Sage200Connector

    site_id, company_id = erp.site_id or "", erp.company_id or ""
    connector = Sage200Connector(
        erp.erp_code,
        erp.base_url or "",
        erp.token_url or "",
        site_id,
        company_id,
        store,
        client_id,
        client_secret,
        timeout_seconds=erp.timeout_seconds,
    )
    with closing(connector):
        try:
            sites = connector.sites()
        except ConnectorError as error:
            return [], f"The sites cannot be listed yet: {error}"
    return [
        {
            "mark": "configured" if (s.site_id.lower(), str(s.company_id)) == (site_id.lower(), company_id) else "",
            "site_id": s.site_id,
            "site_name": s.site_name or "",
            "company_id": str(s.company_id),
            "company_name": s.company_name or "",
        }
        for s in sites
    ], None
