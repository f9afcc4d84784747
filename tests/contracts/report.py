"""What was validated, call by call, and which deviations are documented: the output of `make contract`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.contracts.deviations import Documented, documented
from tests.contracts.exchange import Exchange
from tests.contracts.judge import Deviation, Finding, Judge
from tests.contracts.published import Side


@dataclass
class Report:
    """The verdicts on all exchanges. `places` counts where a deviation shows, `examples` keeps its first finding."""

    entries: Sequence[Documented]
    requests: Counter[tuple[Side, str]] = field(default_factory=Counter)
    answers: Counter[tuple[Side, str]] = field(default_factory=Counter)
    places: Counter[Deviation] = field(default_factory=Counter)
    examples: dict[Deviation, Finding] = field(default_factory=dict)

    def add(self, exchange: Exchange, judges: Mapping[Side, Judge]) -> None:
        verdict = judges[exchange.side].judge(exchange)
        self.requests[exchange.side, verdict.call] += not exchange.is_provoking
        self.answers[exchange.side, verdict.call] += 1
        for finding in verdict.findings:
            self.places[finding.deviation] += 1
            self.examples.setdefault(finding.deviation, finding)

    @property
    def calls(self) -> set[tuple[Side, str]]:
        return set(self.requests)

    @property
    def undocumented(self) -> list[Deviation]:
        return sorted(one for one in self.places if documented(one, self.entries) is None)

    @property
    def unseen(self) -> list[Documented]:
        """Entries that cover nothing that was seen: claims that nothing here needs any more."""
        used = [documented(deviation, self.entries) for deviation in self.places]
        return [entry for entry in self.entries if entry not in used]

    def lines(self) -> Iterable[str]:
        """The report as text."""
        width = max(len(call) for _, call in self.calls) + 2
        yield f"{'side':<9}{'call':<{width}}{'requests':>9}{'answers':>9}{'documented':>12}{'undocumented':>14}"
        for side, call in sorted(self.calls):
            own = [one for one in self.places if (one.side, one.call) == (side, call)]
            known = sum(documented(one, self.entries) is not None for one in own)
            yield (
                f"{side:<9}{call:<{width}}{self.requests[side, call]:>9}{self.answers[side, call]:>9}"
                f"{known:>12}{len(own) - known:>14}"
            )
        yield ""
        for entry in self.entries:
            own = sorted(one for one in self.places if documented(one, self.entries) is entry)
            if own:
                yield f"documented: {entry.part}, {entry.kind}: {entry.why} [{entry.source}]"
                yield f"    {_shortened(list(dict.fromkeys(f'{one.call} {_shown(one.at)}' for one in own)))}"
        for entry in self.unseen:
            yield f"documented, not seen: {', '.join(entry.calls)} {entry.part}, {entry.kind}: {', '.join(entry.at)}"
        for deviation in self.undocumented:
            finding = self.examples[deviation]
            yield (
                f"UNDOCUMENTED: {deviation.side} {deviation.call} {deviation.part}, {deviation.kind}: "
                f"{_shown(deviation.at)}, {self.places[deviation]} places; {finding.detail}"
            )
        for side in sorted({side for side, _ in self.calls}):
            yield (
                f"{side}: {sum(one == side for one, _ in self.calls)} calls, "
                f"{sum(n for (one, _), n in self.requests.items() if one == side)} requests and "
                f"{sum(n for (one, _), n in self.answers.items() if one == side)} answers"
            )
        yield (
            f"{len(self.calls)} calls, {self.requests.total()} requests and {self.answers.total()} answers validated; "
            f"{len(self.places) - len(self.undocumented)} documented deviations, {len(self.undocumented)} undocumented"
        )


def _shortened(names: Sequence[str], shown: int = 12) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _shown(at: str) -> str:
    return at or "(whole)"
