"""A small world served over real HTTP on the loopback."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sandbox.app import Sandbox, listen, server_for
from sandbox.credentials import mirakl_secret, sage_client
from sandbox.store import Store
from sandbox.world import DEFAULT_AS_OF, World, build_world

SEED = 7
SHOP = 2042


@dataclass
class Served:
    """A sandbox that listens, and clients for its three sides."""

    sandbox: Sandbox
    url: str

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def mirakl(self, key: str = "seller") -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/mirakl/BRICO/api/",
            headers={"Authorization": mirakl_secret(SEED, "BRICO", key)},
            params={"shop_id": SHOP},
        )

    def refresh(self, token: str) -> httpx.Response:
        client = sage_client(SEED)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        return httpx.post(f"{self.url}/oauth/token", data=form)

    def sage(self) -> httpx.Client:
        token = self.refresh(self.store.sage_id.consent()).json()["access_token"]
        site = self.store.company.site
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Site": site["site_id"],
            "X-Company": str(site["company_id"]),
        }
        return httpx.Client(base_url=f"{self.url}/sage200/accounts/v1/", headers=headers)

    def control(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/_sandbox/")

    def settings(self, **values: object) -> None:
        self.control().post("settings", json=values).raise_for_status()


def serve(world: World, state: Path | None = None) -> Iterator[Served]:
    sandbox = Sandbox(lambda: Store(world, seed=SEED, as_of=DEFAULT_AS_OF, state_folder=state))
    listener = listen("127.0.0.1", 0)
    server = server_for(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
    yield Served(sandbox, f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(SEED, 300, DEFAULT_AS_OF)


@pytest.fixture(scope="session")
def served(world: World) -> Iterator[Served]:
    """For tests that only read."""
    yield from serve(world)


@pytest.fixture
def fresh(world: World, tmp_path: Path) -> Iterator[Served]:
    """For tests that write: a sandbox of their own with a write journal."""
    yield from serve(world, tmp_path / "state")


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The vendors' published specifications. Absent on a plain clone: skipped there, an error in CI."""
    default = Path(__file__).resolve().parents[3] / "shared" / "contracts"
    folder = Path(os.environ.get("TIEOUT_CONTRACTS_DIR", default))
    if not folder.is_dir():
        reason = f"the vendors' specifications are not at {folder} (set TIEOUT_CONTRACTS_DIR)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
