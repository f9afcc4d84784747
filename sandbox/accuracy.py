"""How well exceptions found agree with the truth about a generated world: precision and recall of each code."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One exception, as the truth plants it and as a pipeline reports it."""

    exception_code: str
    marketplace_code: str
    subject_type: str
    subject_id: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Finding":
        return cls(*(str(record[name]) for name in cls._fields))


@dataclass(frozen=True)
class CodeScore:
    """Agreement on one exception code at one marketplace. `missed`: planted, not found. `invented`: the reverse."""

    marketplace_code: str
    exception_code: str
    planted: int
    found: int
    missed: tuple[Finding, ...]
    invented: tuple[Finding, ...]

    @property
    def hits(self) -> int:
        return self.planted - len(self.missed)

    @property
    def precision(self) -> Decimal:
        """Share of the found that was planted; 1 when nothing was found."""
        return _share(self.hits, self.found)

    @property
    def recall(self) -> Decimal:
        """Share of the planted that was found; 1 when nothing was planted."""
        return _share(self.hits, self.planted)

    @property
    def is_perfect(self) -> bool:
        return not self.missed and not self.invented


@dataclass(frozen=True)
class Accuracy:
    """Scores by marketplace and code, and near-misses that were reported although they are none."""

    scores: tuple[CodeScore, ...]
    near_misses_raised: tuple[Finding, ...]

    @property
    def planted(self) -> int:
        return sum(score.planted for score in self.scores)

    @property
    def found(self) -> int:
        return sum(score.found for score in self.scores)

    @property
    def hits(self) -> int:
        return sum(score.hits for score in self.scores)

    @property
    def precision(self) -> Decimal:
        return _share(self.hits, self.found)

    @property
    def recall(self) -> Decimal:
        return _share(self.hits, self.planted)

    @property
    def marketplaces(self) -> tuple[str, ...]:
        return tuple(sorted({score.marketplace_code for score in self.scores}))

    def of(self, marketplace_code: str) -> "Accuracy":
        """The part of one marketplace."""
        return Accuracy(
            scores=tuple(score for score in self.scores if score.marketplace_code == marketplace_code),
            near_misses_raised=tuple(x for x in self.near_misses_raised if x.marketplace_code == marketplace_code),
        )

    @property
    def is_perfect(self) -> bool:
        return all(score.is_perfect for score in self.scores) and not self.near_misses_raised


def measure(truth: Mapping[str, Any], reported: Iterable[Mapping[str, Any]]) -> Accuracy:
    """Compares the truth's `exceptions` and `near_misses` with reported exceptions, whatever their status.

    Every code that was planted or found has a score, so a false alarm under a code that the truth does not know
    counts too.
    """
    planted = {Finding.of(record) for record in truth["exceptions"]}
    found = {Finding.of(record) for record in reported}
    codes: dict[tuple[str, str], tuple[set[Finding], set[Finding]]] = defaultdict(lambda: (set(), set()))
    for finding in planted:
        codes[finding.marketplace_code, finding.exception_code][0].add(finding)
    for finding in found:
        codes[finding.marketplace_code, finding.exception_code][1].add(finding)
    near = {Finding.of({**record, "exception_code": record["not_code"]}) for record in truth["near_misses"]}
    return Accuracy(
        scores=tuple(
            CodeScore(
                marketplace_code=marketplace,
                exception_code=code,
                planted=len(should),
                found=len(does),
                missed=tuple(sorted(should - does)),
                invented=tuple(sorted(does - should)),
            )
            for (marketplace, code), (should, does) in sorted(codes.items())
        ),
        near_misses_raised=tuple(sorted((found - planted) & near)),
    )


def _share(part: int, whole: int) -> Decimal:
    # Rounded down: 999 of 1,000 must not read 1.00.
    return (Decimal(part) / whole if whole else Decimal(1)).quantize(Decimal("0.01"), ROUND_DOWN)
