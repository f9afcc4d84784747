"""Starts a sandbox: generates the world, loads it, writes the folder a pipeline works from, serves until stopped."""

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sandbox import config, jsonio
from sandbox.app import Sandbox, listen, server_for
from sandbox.config import Marketplaces, Places
from sandbox.examples.format import read
from sandbox.examples.world import build_examples
from sandbox.store import Store
from sandbox.world import ALL_MARKETPLACES, DEFAULT_AS_OF, build_world, first_day_of_trade
from sandbox.world.build import Currency, Erp

Report = Callable[[str], None]


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8800,
    orders: int = 5000,
    seed: int = 7,
    as_of: datetime = DEFAULT_AS_OF,
    faults: bool = True,
    marketplaces: Collection[str] = ALL_MARKETPLACES,
    erp: Erp = "sage200",
    number: int = 0,
    currency: Currency = "GBP",
    settlement_led: Collection[str] = (),
    operator_books: bool = False,
    report: Report = print,
    scenarios: Sequence[Path] = (),
) -> None:
    """Serves until it is interrupted, with BRICO's books in `erp`, its trade in `currency`; `number` is the world's.

    Settlements book the sales of the marketplaces `settlement_led`. With `operator_books` PLAZA's operator has a
    NetSuite account.
    With `scenarios`, worked examples or folders of them, what those files say has happened, and nothing else.

    Port 0 takes a free one; the address is in `<folder>/sandbox.json`.
    Raises OSError when the port is taken and ValueError when a world cannot be generated as asked.
    """
    places = Places(folder.absolute())
    places.root.mkdir(parents=True, exist_ok=True)
    places.address.unlink(missing_ok=True)
    listener = listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    examples = read(scenarios) if scenarios else []
    report(f"Playing {len(examples)} examples …" if examples else f"Generating {orders:,} orders from seed {seed} …")

    def build() -> Store:
        world = (
            build_examples(examples, as_of)
            if examples
            else build_world(
                seed, orders, as_of, faults, marketplaces, erp, number, currency, settlement_led, operator_books
            )
        )
        config.write_bank(places, world.bank)
        config.write_truth(places, world.truth)
        return Store(world, seed=seed, as_of=as_of, state_folder=places.state)

    sandbox = Sandbox(build)
    store = sandbox.store
    served = served_by(store, number)
    settings = store.truth["settings"]
    config.write_config(places, url, served, go_live=first_day_of_trade(as_of), settings=settings)
    variables = config.environment(
        places,
        seed=seed,
        as_of=as_of,
        marketplaces=served,
        refresh_token=store.sage_id.usable_refresh_token or store.sage_id.consent(),
    )
    config.write_environment(places.env, variables)
    places.address.write_bytes(jsonio.encode({"url": url, "pid": os.getpid(), "env": str(places.env)}))
    replayed = f", {store.replayed} earlier writes replayed" if store.replayed else ""
    report(f"{vendors(served)} answer at {url}{replayed}")
    server = server_for(sandbox)
    try:
        # An interrupt is how it is meant to end; uvicorn has shut down by the time it passes the signal on.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        places.address.unlink(missing_ok=True)
        listener.close()


def vendors(served: Marketplaces) -> str:
    """Whose API is served, in words."""
    erps = [name for name, is_there in (("Sage 200", served.has_sage), ("NetSuite", bool(served.netsuite))) if is_there]
    names = ["Mirakl", *erps]
    return " and ".join([", ".join(names[:-1]), names[-1]])


def served_by(store: Store, number: int = 0) -> Marketplaces:
    operators = [code for code, account in store.accounts.items() if account.sign_in is not None]
    sellers = [code for code in store.accounts if code not in operators]
    netsuite = {code: account.account_id for code, account in store.netsuite.items()}
    company = str(store.company.site["company_id"]) if store.has_sage else ""
    return Marketplaces(sellers, operators, netsuite, store.has_sage, number, company)
