"""What the environment may say about the web app (`TIEOUT_APP_*`). Its public address is `Settings.app_url`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AppSettings(BaseSettings):
    """Read once, when the app starts. Frozen."""

    model_config = SettingsConfigDict(env_prefix="TIEOUT_APP_", env_ignore_empty=True, extra="ignore", frozen=True)

    users_file: Path | None = None
    """Users with their hashed passwords; default `<data dir>/secrets/app-users.csv`."""
    session_hours: int = Field(default=8, ge=1, le=24)
    """After that everybody signs in again."""
    idle_minutes: int = Field(default=60, ge=5)
    """So does who did nothing for that long."""
    locale: str = ""
    """How dates and numbers are written, such as en_GB; empty: as the reader's browser asks."""
    oidc_issuer: str = ""
    """Address of the identity provider; empty: the users file decides."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_role_claim: str = "groups"
    """Claim of the identity that roles are read from."""
    oidc_roles: str = ""
    """`group=role` pairs with blanks between them; who has none of the groups may not come in."""
