"""What people do in a world once its figures are there: they close its first month, and two of them do it wrongly.

These faults are no records of a vendor: somebody has to type them. So they are part of the truth only where they are
played (`acts`, arguments of the command line, in their order, after the first run of every lane that reads).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sandbox.world.truth import NO_MARKETPLACE, Truth

PREPARER, REVIEWER, OTHER_REVIEWER = "Priya Nair", "Tom Ashworth", "Helen Voss"
FAULTS = ("CLS-001", "CLS-002")


def people(first_day: date, truths: Sequence[Truth], entities: Mapping[str, str]) -> dict[str, Any]:
    """The acts, and what they must cause and must not. `entities` are the sellers' by marketplace.

    CLS-001: the month of the first marketplace's seller is signed by two people and locked although checks are open.
    Near-miss: its reviewer has decided nothing, so nobody reviews their own work. CLS-002, where there is a second
    seller: the reviewer signs, and then proposes a write-off in the same books. Near-miss: that month is not locked, so
    no step was skipped.
    """
    period = f"{first_day:%Y-%m}"
    acts: list[list[str]] = []
    exceptions: list[dict[str, Any]] = []
    near_misses: list[dict[str, Any]] = []
    for truth in truths:
        entity = entities.get(truth.marketplace_code)
        if entity is None:
            continue
        close = ["close", period, "--entity", entity]
        is_first = not acts
        reviewer = REVIEWER if is_first else OTHER_REVIEWER
        acts.append([*close, "--sign", "--role", "preparer", "--as", PREPARER])
        review = [*close, "--sign", "--role", "reviewer", "--as", reviewer]
        if is_first:
            acts.append([*review, "--lock", "--despite", "the board meets tomorrow"])
        else:
            given_up = next(row for row in truth.exceptions if row["exception_code"] == "SET-012")["subject_id"]
            acts += [review, ["write-off", given_up, "--reason", "not worth a letter", "--by", reviewer]]
        subject = {"marketplace_code": NO_MARKETPLACE, "subject_type": "CLOSE", "subject_id": f"{entity}|{period}"}
        code, other = FAULTS if is_first else FAULTS[::-1]
        fault = "locked_although_checks_are_open" if is_first else "reviewer_decides_what_is_reviewed"
        exceptions.append({"exception_code": code, **subject, "fault": fault, "amount": None})
        text = "reviewed by somebody without a part in it" if is_first else "signed, and not locked yet"
        near_misses.append({"near_miss": text, "not_code": other, **subject})
    return {"acts": acts, "exceptions": exceptions, "near_misses": near_misses}


def with_people(truth: dict[str, Any]) -> dict[str, Any]:
    """The truth of a world whose people have acted."""
    people = truth["people"]
    return truth | {name: [*truth[name], *people[name]] for name in ("exceptions", "near_misses")}
