"""`python -m sandbox.examples [FILE or FOLDER ...]`: plays worked examples and says which figures differ."""

import argparse
import sys
import tempfile
from pathlib import Path

from sandbox.demo_findings import DemoError
from sandbox.examples.format import ExampleError
from sandbox.examples.play import play

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def main() -> int:
    parser = argparse.ArgumentParser(prog="examples", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[EXAMPLES], help="TOML files or folders of them")
    parser.add_argument("--dir", type=Path, help="folder to work in and to keep; else a temporary one")
    arguments = parser.parse_args()
    try:
        if arguments.dir is not None:
            outcome = play(arguments.paths, arguments.dir)
        else:
            with tempfile.TemporaryDirectory() as folder:
                outcome = play(arguments.paths, Path(folder) / "examples")
    except (ExampleError, DemoError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    problems, unnoticed = outcome.problems, outcome.unnoticed_mutations()
    for problem in problems:
        sys.stdout.write(f"✗ {problem}\n")
    for name in unnoticed:
        sys.stdout.write(f"✗ a penny more in {name} would not be noticed\n")
    sys.stdout.write(
        f"{len(outcome.examples)} examples on Sage 200 and NetSuite, {len(outcome.expected):,} figures, "
        f"{len(problems)} differences, {len(outcome.mutations)} mutations by a penny of which {len(unnoticed)} went "
        f"unnoticed, {outcome.seconds:.0f} s\n"
    )
    return 1 if problems or unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
