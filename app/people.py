"""Who somebody is and what they may do. The outbox adds its own rules: nobody approves their own proposal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for. One person may have several roles."""

    VIEWER = "viewer"
    PREPARER = "preparer"
    APPROVER = "approver"
    SERVICE = "service"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or a form asks for."""

    READ = "read"
    COMMENT = "comment"
    DECIDE = "decide"
    """Assign, accept, write off, reopen, match, unmatch, sign as preparer."""
    APPROVE = "approve"
    """Approve and reject, sign as reviewer, lock and reopen a month."""
    REVEAL = "reveal"
    """See personal data, which is masked otherwise; each look is logged."""


_ALL = frozenset(Right)
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.PREPARER: frozenset({Right.READ, Right.COMMENT, Right.DECIDE}),
    Role.APPROVER: frozenset({Right.READ, Right.COMMENT, Right.APPROVE}),
    Role.SERVICE: frozenset({Right.READ, Right.COMMENT, Right.REVEAL}),
    Role.ADMIN: _ALL,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. `teams` are owner teams of exceptions; none: all of them."""

    name: str
    roles: frozenset[Role]
    teams: frozenset[str] = frozenset()

    def may(self, right: Right) -> bool:
        return any(right in RIGHTS[role] for role in self.roles)

    @property
    def role_words(self) -> str:
        return ", ".join(sorted(self.roles)) or "no role"


def role_map(text: str) -> list[tuple[str, Role]]:
    """`group=role` pairs. Raises ValueError for a word that is none."""
    pairs = []
    for word in text.split():
        group, _, role = word.rpartition("=")
        if not group or role not in tuple(Role):
            raise ValueError(f"TIEOUT_APP_OIDC_ROLES: {word!r} is no group=role with one of {', '.join(Role)}")
        pairs.append((group, Role(role)))
    return pairs
