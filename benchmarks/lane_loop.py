"""A lane again and again in one process, as the code server's sensor runs it; ended by its parent."""

from __future__ import annotations

import sys
import time

from orchestration.lib.lanes import run_lane
from orchestration.lib.settings import Settings


def main() -> None:
    lane, pause = sys.argv[1], float(sys.argv[2])
    while True:
        worked = time.process_time()
        result = run_lane(lane, Settings())
        stages = " ".join(f"{stage} {seconds:.1f}" for stage, seconds in result.seconds.items())
        processor = time.process_time() - worked
        sys.stdout.write(f"{result.summary()}; seconds by stage: {stages}; of a processor {processor:.1f}\n")
        sys.stdout.flush()
        time.sleep(pause)


if __name__ == "__main__":
    main()
