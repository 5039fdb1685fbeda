"""A command from the command line: its fields, and what its bed answers."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from monitor.tools.send_command import parsed, send
from stream.clock import SteadyClock
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.catalog import Catalog
from stream.records.library import Library
from stream.replay.playhead import ReplayConfig
from stream.replay.publisher_process import serve
from stream.wire.alarm_messages import Limits, SetLimits
from stream.wire.detail import SetDetail
from stream.wire.replay_actions import Inject, SetPlaying, SetSpeed
from stream.wire.topics import Kind, pattern
from stream.wire.truth_message import Truth
from tests.stream.replay.test_playhead import traceable


def test_fields_become_the_values_of_their_action() -> None:
    assert parsed("set_playing", ["playing=false"]) == SetPlaying(playing=False)
    assert parsed("set_detail", []) == SetDetail()
    assert parsed("set_limits", ['limits={"spo2_low":92}']) == SetLimits(limits=Limits(spo2_low=92))
    assert parsed("set_speed", ["speed=2"]) == SetSpeed(speed=2.0)
    mains = Inject(injection_id="mains", kind="mains", level=0.3)
    assert parsed("inject", ["kind=mains", "level=0.3"]) == mains
    assert parsed("inject", ["kind=mains", "injection_id=7"]) == Inject(injection_id="7", kind="mains")


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("tea", [], "'tea' is unknown; use one of acknowledge, "),
        ("seek", ["to=3"], "'to=3' is not understood; it has position=…"),
        ("seek", ["3"], "'3' is not understood"),
        ("seek", [], "missing required field `position`"),
        ("set_speed", ["speed=0"], "Expected `float` >= 0.01"),
        ("set_limits", ["limits={x}"], "is not JSON"),
        ("set_rhythm", ["rhythm=sinus"], "rhythm 'sinus' is not known: one of AFIB, "),
        ("set_vitals", ['values={"spo":82}'], "values 'spo' is not known: one of abp_diastolic, "),
        ("inject", ["kind=tea"], "'tea' is unknown; use one of lead_off, "),
        ("inject", ["kind=mains", "level=9"], "level of mains is 0.01 to 5 mV, not 9"),
    ],
)
def test_what_is_wrong_is_named(name: str, fields: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parsed(name, fields)


@pytest.mark.usefixtures("no_tasks_left")
async def test_the_answer_of_a_publisher_is_reported(
    broker: BrokerAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(Catalog(cache_dir=tmp_path))
    observer = Client(broker, role=None, subscriptions=[pattern(Kind.TRUTH), pattern(Kind.ECG)])
    async with observer, asyncio.timeout(30):
        replays = [(traceable(36_000), ReplayConfig())]
        task = asyncio.create_task(serve(broker, replays, library=library, ledger_path=None, clock=SteadyClock()))
        inject = Inject(injection_id="a", kind="gain_error", lead="MLII")
        await observer.receive()  # the publisher is there
        assert (await send(broker, "bed-1", inject, "test")).startswith("bed-1: inject took effect after ")
        while not isinstance(begun := (await observer.receive()).message, Truth):
            pass
        assert (begun.truth_id, begun.phase, begun.lead) == ("a", "begin", "MLII")
        with pytest.raises(UsageError, match="inject was refused: mains of lead V1: bed bed-1 has MLII"):
            await send(broker, "bed-1", Inject(injection_id="b", kind="mains", lead="V1"), "test")
        monkeypatch.setattr("monitor.tools.send_command.TIMEOUT_S", 0.3)
        with pytest.raises(UsageError, match="no publisher or worker of bed bed-2 sends its status"):
            await send(broker, "bed-2", inject, "test")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
