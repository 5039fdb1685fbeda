"""What a bed reports of commands: done once it is done, and unchanged if the command comes again."""

from __future__ import annotations

import pytest

from stream.errors import MessageError
from stream.replay.bed import Bed
from stream.replay.playhead import ReplayConfig, begin
from stream.wire.replay_actions import SetLoop
from stream.wire.status_messages import MAX_RESULTS
from tests.stream.replay.publisher_harness import command
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


def test_a_command_is_done_once_it_is_done_and_stays_so_if_it_comes_again() -> None:
    bed = Bed(begin(traceable(10), ReplayConfig(), BEGIN_NS))
    first = command(1, SetLoop(loop=True), BEGIN_NS)
    bed.accept(first, BEGIN_NS)
    assert bed.results == {}, "a record may be loaded meanwhile"
    bed.complete(first)
    with pytest.raises(MessageError, match="executed before") as again:
        bed.accept(first, BEGIN_NS)
    bed.refuse(first, str(again.value))
    assert [one.refused for one in bed.results.values()] == [None]
    for number in range(2, 2 + MAX_RESULTS):
        bed.refuse(command(number, SetLoop(loop=True), BEGIN_NS), "no")
    assert [one.refused for one in bed.results.values()] == ["no"] * MAX_RESULTS
