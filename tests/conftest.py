"""Fixtures for all tests: recordings, brokers, and checks for leaked threads and tasks."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import settings

from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import embedded_broker, free_port
from stream.wire.bed_places import PLACES_VARIABLE
from tests.brokers import Mosquitto

if TYPE_CHECKING:
    from stream.records.record import Record


# No deadline per example: a slow machine must not fail a test.
settings.register_profile("bedside", deadline=None)
settings.load_profile("bedside")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files: those of real processes, which take long, would all come last, to a few of the workers."""
    items.sort(key=lambda item: crc32(item.location[0].encode()))


@pytest.fixture(scope="session", autouse=True)
def separate_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Isolate tests and their processes from the user's own settings; few places, so that tests fill them quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv(PLACES_VARIABLE, "64")
        yield


@pytest.fixture(scope="session")
def mitdb_dir() -> Path:
    """Return the folder that contains all of mitdb/, or skip (fail with CI=true)."""
    from stream.records.catalog import MITDB, user_cache

    for folder in (Path(os.environ.get("BEDSIDE_DATA") or user_cache()), user_cache()):
        if all((folder / f"{name}.dat").exists() for name in MITDB):
            return folder.resolve()
    reason = "needs all of MIT-BIH: run 'bedside data fetch mitdb', or set BEDSIDE_DATA to a folder that holds mitdb/"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def excerpt() -> Record:
    """Return SciPy's electrocardiogram, five minutes of recorded ECG."""
    from stream.records.catalog import Catalog
    from stream.records.wfdb_reader import load

    return load("excerpt", Catalog.from_environment())


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Provide a running Mosquitto."""
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=["embedded", "mosquitto"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerAddress]:
    """Provide the address of each kind of broker in turn."""
    if request.param == "mosquitto":
        yield request.getfixturevalue("mosquitto").address
        return
    async with embedded_broker(port=free_port()) as address:
        yield address


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test that leaks a thread; the idle pool of asyncio ends with its loop."""
    before = set(threading.enumerate())
    yield
    started = [t for t in threading.enumerate() if t not in before and not t.name.startswith("asyncio_")]
    for thread in started:
        thread.join(2)  # it may be about to end
    remaining = [t for t in started if t.is_alive()]
    assert not remaining, f"threads left running: {remaining}"


@pytest.fixture
async def no_tasks_left() -> AsyncIterator[None]:
    """Fail a test that leaks an asyncio task."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    remaining = [t for t in asyncio.all_tasks() - before - {asyncio.current_task()} if not t.done()]
    assert not remaining, f"tasks left running: {remaining}"
