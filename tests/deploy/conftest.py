"""Fixture: a ward with TLS and access control, for all tests of a module."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.ward import Ward


@pytest.fixture(scope="module")
def ward() -> Iterator[Ward]:
    """Provide a running ward."""
    # Not tmp_path: Mosquitto's own user cannot enter pytest's folders.
    with tempfile.TemporaryDirectory() as folder:
        broker = Ward(Path(folder))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()
