"""Records of urgent rhythms are loaded ahead, each once, and follow what the bed has shown."""

from __future__ import annotations

import logging

import pytest

from stream.errors import RecordError
from stream.records.episodes import Episode
from stream.records.library import LoadedRecords
from stream.records.record import Record
from stream.records.synthetic.presets import live_record
from stream.replay.next_episodes import NextEpisodes
from stream.replay.playhead import AnyRecord, ReplayConfig, begin
from stream.replay.publisher_process import _offer
from tests.stream.replay.publisher_harness import FakeClock, publisher
from tests.stream.replay.test_playhead import traceable


def episode(rhythm: str, record: str, seconds: float) -> Episode:
    return Episode(
        rhythm=rhythm, record=record, start_s=30.0, end_s=30.0 + seconds, rate=None, leads=("MLII",), quality=1.0
    )


LOADED: list[str] = []
EPISODES = (episode("VF", "a", 20), episode("VF", "b", 10), episode("N", "c", 30))


class Counted(LoadedRecords):
    """A library that lists what is loaded."""

    def load(self, name: str) -> Record:
        LOADED.append(name)
        if name == "b":
            raise RecordError("b is damaged")
        return traceable(36)


async def test_the_record_of_the_next_episode_is_loaded_ahead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "bedside.publisher")
    library = Counted(())
    LOADED.clear()
    following = NextEpisodes(library, EPISODES)
    await following.load_ahead("bed-1")
    assert LOADED == ["a"], "of the urgent rhythm alone"
    assert following.choose("bed-1", "VF").record == "a"
    following.note_shown("bed-1", "VF")
    await following.load_ahead("bed-1")
    assert LOADED == ["a", "b"]
    assert "an episode of VF cannot be prepared: b is damaged" in caplog.text
    assert following.choose("bed-1", "VF").record == "b"
    assert following.choose("bed-2", "VF").record == "a", "another bed has its own turn"
    with pytest.raises(RecordError):
        await following.load("b")


async def test_what_was_loaded_ahead_is_not_loaded_again() -> None:
    library = LoadedRecords((traceable(36),))
    following = NextEpisodes(library, (episode("VT", "traceable", 5),))
    await following.load_ahead("bed-1")
    assert await following.load("traceable") is library.records[0]
    await NextEpisodes(library, ()).load_ahead("bed-1")  # nothing to prepare


@pytest.mark.parametrize(("record", "loaded"), [(traceable(36), ["a"]), (live_record(), [])])
async def test_nothing_is_loaded_ahead_for_patients_who_can_show_no_episode(
    record: AnyRecord, loaded: list[str]
) -> None:
    library, head = Counted(()), begin(record, ReplayConfig(bed="bed-1"), 0)
    LOADED.clear()
    made = publisher([head], [], FakeClock())
    await _offer(made, library, NextEpisodes(library, EPISODES))
    assert loaded == LOADED
    assert made.statuses.rhythms
