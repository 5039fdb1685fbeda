"""Checkpoints as bytes and as files: whole, or refused."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.alarms.alarm_manager import SavedAlarms
from model.alarms.state import AlarmState
from model.conditions import settings
from model.pipeline import bed_state
from model.pipeline.analysis import Models, load_models
from model.serving import checkpoint
from model.serving.charted_checkpoints import ChartedCheckpoints
from model.serving.checkpoint import BedCheckpoint, Entry
from model.serving.checkpoint_store import CheckpointStore
from model.serving.progress import BedProgress
from model.signal.state_codec import pack
from stream.clock import SteadyClock
from stream.errors import StorageError
from stream.wire.continuity import Continuity
from stream.wire.shard import Shard
from tests.stream.wire.test_codec import alarm
from tests.waveforms import SESSION, chunk

MODELS = load_models()
HASH = checkpoint.fingerprint(MODELS)
ALARMS = AlarmState(limits=settings.load().limits)


def place(seq: int) -> Continuity:
    return Continuity(SESSION, 0, seq, 36 * (seq + 1), ("MLII",))


def made(number: int = 1, seq: int = 3) -> BedCheckpoint:
    return BedCheckpoint(
        number=number,
        served_by=("a1",),
        alive_ns=SteadyClock().now_ns(),
        chunk=chunk(seq, 36),
        place=place(seq),
        counters={"gaps": 1},
        ended=False,
        lease=1,
        analysis=bed_state.begin(MODELS, ("MLII",), 0, 0),
        alarms=SavedAlarms(ALARMS, (alarm(),)),
    )


def progress(after: int, seq: int) -> BedProgress:
    position = place(seq)
    return BedProgress("bed-1", 5, after, SESSION, 0, seq, position.end, position.leads, {"gaps": 1})


FILE = checkpoint.encode(made(), HASH)
ENTRIES = (
    Entry(replace(ALARMS, active=(alarm(),)), after=1, by="a1"),
    Entry(replace(ALARMS, audio_paused_until=5), (alarm(),), after=1, by="a1"),
)
TAIL = b"".join(map(checkpoint.encode_entry, ENTRIES))


def equal(one: BedCheckpoint, other: BedCheckpoint) -> bool:
    return pack(one) == pack(other)


def test_a_checkpoint_and_its_entries_are_read_as_written() -> None:
    first = checkpoint.decode(FILE, HASH)
    assert equal(replace(first, alive_ns=0), replace(made(), alive_ns=0))
    last = checkpoint.decode(FILE + TAIL, HASH)
    assert (last.place, last.alarms.state) == (place(3), ENTRIES[1].alarms)
    assert last.alarms.recent == (alarm(), alarm())


@pytest.mark.parametrize("stray", [Entry(ALARMS, (alarm(),), after=0, by="a1"), Entry(ALARMS, after=1, by="b2")])
def test_an_entry_of_another_checkpoint_or_process_is_ignored(stray: Entry) -> None:
    read = checkpoint.decode(FILE + TAIL + checkpoint.encode_entry(stray), HASH)
    assert read.alarms == SavedAlarms(ENTRIES[1].alarms, (alarm(), alarm()))


@given(st.integers(0, len(TAIL)))
def test_an_incomplete_entry_is_ignored(length: int) -> None:
    read = checkpoint.decode(FILE + TAIL[:length], HASH)
    whole = 0 if length < len(checkpoint.encode_entry(ENTRIES[0])) else 1 if length < len(TAIL) else 2
    assert read.alarms.state == [ALARMS, ENTRIES[0].alarms, ENTRIES[1].alarms][whole]
    assert len(read.alarms.recent) == (2 if whole == 2 else 1)


def test_at_a_later_position_a_checkpoint_has_that_of_the_last_chunk() -> None:
    before = made()
    moved = checkpoint.moved(before, place(4), {"gaps": 2}, before.alive_ns + 5)
    assert (moved.place, moved.counters, moved.alive_ns) == (place(4), {"gaps": 2}, before.alive_ns + 5)
    assert (moved.chunk.seq, moved.chunk.end) == (4, place(4).end)


@given(st.integers(0, 8 * len(FILE) - 1))
def test_a_flipped_bit_is_found(bit: int) -> None:
    damaged = bytearray(FILE)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StorageError):
        checkpoint.decode(bytes(damaged), HASH)


@given(st.integers(0, len(FILE) - 1))
def test_a_truncated_checkpoint_is_refused(length: int) -> None:
    with pytest.raises(StorageError):
        checkpoint.decode(FILE[:length], HASH)


def test_a_checkpoint_of_other_models_is_refused() -> None:
    classifier = MODELS.beat_classifier
    atrial = classifier.atrial._replace(class_bias=classifier.atrial.class_bias + 0.1)
    other = checkpoint.fingerprint(Models(MODELS.forecaster, replace(classifier, atrial=atrial), MODELS.alarms))
    with pytest.raises(StorageError, match="other models"):
        checkpoint.decode(FILE, other)


def test_a_takeover_extends_the_lineage() -> None:
    assert checkpoint.lineage(("a", "b"), "c") == ("a", "b", "c")
    assert checkpoint.lineage(("a", "b"), "a") == ("b", "a")
    assert len(checkpoint.lineage([str(n) for n in range(99)], "c")) == checkpoint.LINEAGE


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_last_checkpoint_with_its_entries_is_read(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path / "new" / "folder", HASH) as store:
        store.append("bed-1", ENTRIES[0])
        for number in (1, 2, 3, 4, 5):
            store.write(made(number, seq=number))
            store.append("bed-1", ENTRIES[0])
            store.append_progress("a1", [progress(number, number + 1)])
            if number < 3:
                store.append("bed-1", ENTRIES[1])  # what is written over it later is shorter
    with CheckpointStore(tmp_path / "new" / "folder", HASH) as store:
        [read] = store.read_all()
    assert (read.number, read.place, read.alarms) == (5, place(6), SavedAlarms(ENTRIES[0].alarms, (alarm(),)))


@given(cut=st.integers(0, len(FILE) - 1))
def test_while_one_is_written_the_one_before_is_whole(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("state")
    with CheckpointStore(folder, HASH) as store:
        store.write(made(1))
        store.append_progress("a1", [progress(1, 7)])
        store.write(made(2))
    newer = folder / "bed-1.bed0"
    newer.write_bytes(newer.read_bytes()[:cut])
    with CheckpointStore(folder, HASH) as store:
        [read] = store.read_all()
    assert (read.number, read.place) == (1, place(7))


def test_a_damaged_checkpoint_is_refused_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bed-1.bed0").write_bytes(FILE[:-1])
    (tmp_path / "bed-1.bed1").write_bytes(b"bedside-bed-0\n")
    (tmp_path / "bed-2.bed0").write_bytes(FILE)
    with caplog.at_level(logging.WARNING), CheckpointStore(tmp_path, HASH) as store:
        assert store.read_all() == []
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert all("starts anew" in line for line in lines)


def test_a_checkpoint_of_the_day_before_is_deleted(tmp_path: Path) -> None:
    old = replace(made(), alive_ns=made().alive_ns - 25 * 3600 * 10**9)
    (tmp_path / "bed-1.bed1").write_bytes(checkpoint.encode(old, HASH))
    with CheckpointStore(tmp_path, HASH) as store:
        assert store.read_all() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_used_is_deleted_once_it_is_a_day_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("bed-1.bed0", "bed-2.bed0", "bed-1.chart0"):
        (tmp_path / name).write_bytes(b"bedside-bed-0\n")
    for name in ("bed-2.bed0", "bed-1.chart0"):
        os.utime(tmp_path / name, (1e9, 1e9))
    with CheckpointStore(tmp_path, HASH) as store:
        assert store.read_all() == []
        assert ChartedCheckpoints(store, lambda: HASH).read_all() == []
    assert [path.name for path in tmp_path.iterdir()] == ["bed-1.bed0"]
    assert len(caplog.records) == 1


def test_the_files_of_a_bed_that_has_lost_its_place_are_removed(tmp_path: Path) -> None:
    with CheckpointStore(tmp_path, HASH) as store:
        for name in ("bed-1", "bed-2"):
            for number in (1, 2):
                store.write(replace(made(number), chunk=chunk(3, 36, bed=name)))
        store.remove("bed-1")
        store.append("bed-1", ENTRIES[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bed-2.bed0", "bed-2.bed1"]


def test_a_bed_that_starts_anew_replaces_what_was_refused(tmp_path: Path) -> None:
    (tmp_path / "bed-1.bed0").write_bytes(checkpoint.encode(made(56), HASH))
    with CheckpointStore(tmp_path, HASH) as store:
        store.write(made(1, seq=9))
        [read] = store.read_all()
    assert (read.number, read.place) == (1, place(9))


def test_workers_of_two_shards_share_a_folder(tmp_path: Path) -> None:
    beds = [f"bed-{number}" for number in range(8)]
    shards = [Shard(0, 2), Shard(1, 2)]
    old = replace(made(), alive_ns=made().alive_ns - 25 * 3600 * 10**9)
    with CheckpointStore(tmp_path, HASH) as one, CheckpointStore(tmp_path, HASH) as other:
        for bed in beds:
            store = one if bed in shards[0] else other
            store.write(replace(old if bed == "bed-0" else made(), chunk=chunk(3, 36, bed=bed)))
        [mine] = [shard for shard in shards if "bed-0" in shard]
        [others] = [shard for shard in shards if "bed-0" not in shard]
        found = [read.chunk.bed for read in one.read_all(others)]
        assert sorted(found) == [bed for bed in beds if bed in others]
        assert list(tmp_path.glob("bed-0.*")), "what is outdated is deleted by the worker of its shard alone"
        assert sorted(read.chunk.bed for read in one.read_all(mine)) == [b for b in beds[1:] if b in mine]
        assert not [path for path in tmp_path.glob("bed-0.*") if path.stat().st_size]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another with --state"):
        CheckpointStore(tmp_path / "file", HASH)


def test_a_file_that_cannot_be_written_is_logged_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with CheckpointStore(tmp_path, HASH) as store:
        store.write(made(1))
        (tmp_path / "bed-2.bed0").symlink_to("/dev/full")
        full = replace(made(2), chunk=chunk(3, 36, bed="bed-2"))
        store.write(full)
        store.write(full)
        store.append("bed-2", ENTRIES[0])
    assert [record.getMessage() for record in caplog.records if "cannot be written" in record.getMessage()] != []
    assert len(caplog.records) == 1
    (tmp_path / "bed-2.bed0").unlink()
    with CheckpointStore(tmp_path, HASH) as store:
        assert [read.chunk.bed for read in store.read_all()] == ["bed-1"]


def test_a_bed_that_is_served_anew_is_not_continued_from_what_it_had_before(tmp_path: Path) -> None:
    other = "cd" * 16
    with CheckpointStore(tmp_path, HASH) as store:
        store.append_progress("a1", [progress(after=1, seq=90)])
        for number in (57, 58):
            store.write(made(number=number, seq=number))
        store.leave("bed-1")
        store.write(replace(made(number=1), chunk=chunk(0, 36, session=other), place=replace(place(0), session=other)))
    with CheckpointStore(tmp_path, HASH) as store:
        [read] = store.read_all()
    assert (read.number, read.chunk.session, read.place.session, read.place.end) == (1, other, other, 36)
