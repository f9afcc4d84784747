"""A seller's small generated world whose orders have three lines as a rule, served by the sandbox.

    python -m benchmarks.matching_source --orders 5000 --port 8997 --folder FOLDER

It is the template that `matching.py` copies. Nothing is planted in it, so what the models find is what is natural:
orders under way, negative cycles, receipts for several pay-outs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from sandbox import config
from sandbox.app import Sandbox, listen
from sandbox.config import Places
from sandbox.serve import served_by
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, build_world, trade
from sandbox.world.build import first_day_of_trade

SEED = 7
MARKETPLACE = "BRICO"
LINES = 3
SHARE = 0.85
"""The share of orders with three lines, which makes ten transaction lines an order."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    places = Places(options.folder.absolute())
    trade.PROFILES = tuple(
        (profile, SHARE if profile == "TWO_LINES" else share, least) for profile, share, least in trade.PROFILES
    )
    trade.LINES = LINES
    world = build_world(SEED, options.orders, faults=False, marketplaces=(MARKETPLACE,))
    config.write_bank(places, world.bank)
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF))
    served = served_by(sandbox.store)
    listener = listen("127.0.0.1", options.port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config.write_config(places, url, served, go_live=first_day_of_trade(DEFAULT_AS_OF))
    consent = sandbox.store.sage_id.consent()
    variables = config.environment(places, seed=SEED, as_of=DEFAULT_AS_OF, marketplaces=served, refresh_token=consent)
    config.write_environment(places.env, variables)  # last: whoever waits for it may begin
    uvicorn.Server(uvicorn.Config(sandbox.app, log_level="warning", access_log=False, lifespan="off")).run(
        sockets=[listener]
    )


if __name__ == "__main__":
    main()
