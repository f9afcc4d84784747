"""`make fuzz SECONDS=600`: Atheris, which is told by the coverage of the code which inputs lead somewhere new, on every
parser. It lives in an environment of its own (.venv-fuzz), for it is built for few versions of Python.

The first byte of an input names the parser. What must hold is what the generated inputs are held to (generated.py);
besides, a page that customers are cut out of comes back byte for byte, and is as readable without them. The corpus is
kept, so that a later run goes on from there. Who is planted is not looked for here: mutation moves names into columns.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["connectors", "mt940", "defusedxml"]):
    from connectors.errors import BadPayload
    from connectors.feeds import REGISTRY
    from connectors.personal import PERSONAL, cut
    from tests.faults.generated import Tally, judge, parsers

SEEDS_EACH = 12


class Targets:
    """Every parser by its number."""

    def __init__(self) -> None:
        self._makers = sorted(parsers().items())
        self._parse = [make(random.Random(0))[1] for _, make in self._makers]

    def corpus(self, folder: Path) -> None:
        """Valid and hostile inputs to begin with."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, (name, make) in enumerate(self._makers):
            for seed in range(SEEDS_EACH):
                body, _ = make(random.Random(f"{name} {seed}"))
                (folder / f"seed-{number:03d}-{seed:02d}").write_bytes(bytes([number]) + body[:65_000])

    def __call__(self, content: bytes) -> None:
        if not content:
            return
        number, body = content[0] % len(self._makers), content[1:]
        name = self._makers[number][0]
        try:
            decoded = self._parse[number](body)
        except BadPayload:
            return
        tally = Tally()
        judge(decoded, tally, name)
        assert tally.holds, tally.failures
        vendor, entity = name.split("/")
        if (vendor, entity) in PERSONAL and (found := cut(REGISTRY[vendor][entity], body)) is not None:
            assert found.restored() == body, f"{name}: cut and put together again it is another page"
            again = self._parse[number](found.body)
            assert again.record_count == decoded.record_count, f"{name}: records went with their customers"


def main() -> None:
    folder = Path(sys.argv[1])
    targets = Targets()
    if not any(folder.glob("seed-*")):
        targets.corpus(folder)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(folder)], targets)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
