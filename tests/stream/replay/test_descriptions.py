"""A replay in words."""

from stream.replay.descriptions import description
from stream.replay.playhead import ReplayConfig, begin
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


def test_a_replay_is_described_in_one_line() -> None:
    head = begin(traceable(3600, leads=2), ReplayConfig(start_s=2.5, speed=0.5, loop=True), BEGIN_NS)
    assert description(head) == (
        "bed-1: traceable (MLII, V1; 360 Hz; 10.0 s), from 2.5 s, at 0.5 times real time, in a loop, SYNTHETIC"
    )
