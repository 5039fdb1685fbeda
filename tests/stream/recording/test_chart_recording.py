"""A bed without ECG: what is recorded of its numerics is replayed value for value; what was not received is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.errors import RecordError
from stream.recording.bed_files import BedFiles
from stream.recording.chart_recording import LINGER_NS, MAX_GAP_ROWS, ChartRecording
from stream.recording.folder import RecordingFolder
from stream.recording.short_records import ShortRecords
from stream.records.catalog import Catalog
from stream.records.record import Record, RecordedNumeric, of_numerics
from stream.records.replayable import HOUR_S, load_replayable
from stream.replay.playhead import Playhead, ReplayConfig, begin
from stream.replay.playhead_actions import execute
from stream.timebase import FS
from stream.wire.messages import INVALID
from stream.wire.numerics_message import UNIT_OF, NumericName, Numerics
from stream.wire.replay_actions import Seek
from tests.monitor import message_samples
from tests.waveforms import SESSION

SECOND_NS = 1_000_000_000
HOUR = round(HOUR_S * FS)
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def chart(hours: int, seconds: float = HOUR_S) -> Record:
    """Return a record with values to two decimals, some of them missing."""
    rng = np.random.default_rng(7)
    names: list[NumericName] = ["heart_rate", "spo2", "abp_mean", "temperature"]
    numerics = []
    for name in names:
        values = np.round(rng.uniform(36, 98, hours), 2)
        values[rng.random(hours) < 0.3] = np.nan
        numerics.append(RecordedNumeric(name, UNIT_OF[name], 1 / seconds, values))
    return of_numerics("chart", tuple(numerics), hours * seconds, "test")


def head_of(record: Record, **config: object) -> Playhead:
    return begin(record, ReplayConfig(**{"speed": 7200.0, **config}), 1_770_000_000 * SECOND_NS, SESSION)  # type: ignore[arg-type]


def sent(head: Playhead) -> Iterator[Numerics]:
    while head.due_ns is not None:
        message, head = head.next_alone()
        if message is not None:
            yield message


class Bench:
    """Records the messages of one bed into a folder; one comes each half second."""

    def __init__(self, folder: RecordingFolder, rotate: int = 3600, most_short: int = 1000) -> None:
        self.stems: list[Path] = []
        recorded, short = folder.recorded().get("bed-1", {}), ShortRecords("bed-1", most_short)
        files = BedFiles("bed-1", lambda: folder.next_stem("bed-1"), self.stems.append, recorded, short)
        self.bed = ChartRecording(files, rotate)
        self.now_ns = 60 * SECOND_NS

    def push(self, *messages: Numerics) -> None:
        for message in messages:
            self.now_ns += SECOND_NS // 2
            self.bed.push(message, self.now_ns)

    def records(self) -> list[Record]:
        self.bed.close("the test is over")
        return [load_replayable([str(stem)], Catalog())[str(stem)] for stem in self.stems]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RecordingFolder]:
    with RecordingFolder(tmp_path / "out") as entered:
        yield entered


def assert_equal(stored: Record, original: Record, hours: slice) -> None:
    assert [(one.name, one.unit, one.fs) for one in stored.numerics] == [
        (one.name, one.unit, one.fs) for one in original.numerics
    ]
    for one, other in zip(stored.numerics, original.numerics, strict=True):
        np.testing.assert_allclose(one.values, other.values[hours], rtol=1e-12)


@pytest.mark.parametrize("seconds", [HOUR_S, 7.0, 1.0])
def test_a_chart_is_recorded_value_for_value_and_replayed_as_it_was(folder: RecordingFolder, seconds: float) -> None:
    record = chart(60, seconds)
    messages = list(sent(head_of(record)))
    bench = Bench(folder)
    bench.push(*(one for message in messages for one in (message, message)))  # each twice
    [stored] = bench.records()
    assert stored.n == record.n
    assert_equal(stored, record, slice(None))
    again = list(sent(head_of(stored)))
    assert [(one.index, one.values) for one in again] == [(one.index, one.values) for one in messages]


def test_a_chart_of_weeks_is_read(folder: RecordingFolder) -> None:
    record = chart(400)
    bench = Bench(folder)
    bench.push(*sent(head_of(record)))
    [stored] = bench.records()
    assert_equal(stored, record, slice(None))


def test_lost_hours_are_invalid_and_named_and_alarms_have_their_places(folder: RecordingFolder) -> None:
    import wfdb

    record = chart(24)
    messages = list(sent(head_of(record, start_s=2.5 * HOUR_S)))
    bench = Bench(folder)
    bench.push(*messages[:10], *messages[12:])
    raised = message_samples.alarm(3 * HOUR, session=SESSION)
    bench.bed.push_alarm(raised)
    bench.bed.push_alarm(raised)
    bench.bed.push_alarm(msgspec.structs.replace(raised, session="0" * 32, event_id="another session"))
    [stored] = bench.records()
    assert stored.n == 22 * HOUR, "from the start of the hour in which it was joined"
    raw = wfdb.rdrecord(str(bench.stems[0]), physical=False)
    assert (raw.d_signal[10:12] == INVALID).all()
    assert_equal(
        chart_of(stored, [*range(10), *range(12, 22)]), chart_of(record, [*range(2, 12), *range(14, 24)]), slice(None)
    )
    notes = wfdb.rdann(str(bench.stems[0]), "atr")
    assert [text.rstrip("\x00") for text in notes.aux_note if "raised" not in text] == [
        "gap: 2 rows (7200 s) were not received"
    ]
    assert list(notes.sample) == [3 * HOUR + HOUR // 2, 10 * HOUR], "the session began half an hour after the record"


def chart_of(record: Record, rows: list[int]) -> Record:
    """Return some rows of a record."""
    return of_numerics(
        "x",
        tuple(RecordedNumeric(one.name, one.unit, one.fs, one.values[rows]) for one in record.numerics),
        len(rows) * HOUR_S,
        "test",
    )


def test_a_break_or_a_long_gap_begins_another_record_and_strangers_change_nothing(folder: RecordingFolder) -> None:
    record = chart(300)
    head = head_of(record)
    first: list[Numerics] = []
    for _ in range(5):
        message, head = head.next_alone()
        assert message is not None
        first.append(message)
    rest = list(sent(execute(head, Seek(position=100 * HOUR), 0)))
    bench = Bench(folder)
    bench.push(*first)
    bench.push(msgspec.structs.replace(first[-1], session="0" * 32, index=2**40))
    bench.push(msgspec.structs.replace(first[-1], index=2**50))
    alone = first[-1].alone
    assert alone is not None
    bench.push(msgspec.structs.replace(first[-1], index=2**30, alone=msgspec.structs.replace(alone, interval_s=1e9)))
    assert bench.bed.counters["refused"] == 3
    bench.push(*rest[:10])
    bench.now_ns += 60 * SECOND_NS
    bench.push(*rest[10 + MAX_GAP_ROWS + 1 :])
    stored = bench.records()
    assert [round(one.n / HOUR) for one in stored] == [5, 10, len(rest) - 11 - MAX_GAP_ROWS]


def test_a_record_of_which_nothing_was_measured_is_refused_as_that(folder: RecordingFolder) -> None:
    first = next(sent(head_of(chart(5))))
    missing = tuple(msgspec.structs.replace(one, value=None) for one in first.values)
    bench = Bench(folder)
    bench.push(msgspec.structs.replace(first, values=missing))
    with pytest.raises(RecordError, match="contains no valid value: choose another record"):
        bench.records()


def test_what_a_killed_process_left_is_completed_and_the_gap_named(folder: RecordingFolder) -> None:
    record = chart(50)
    messages = list(sent(head_of(record)))
    Bench(folder).push(*messages[:20])  # never finished
    [stem] = folder.finish_interrupted()
    assert "at most one row of 3600 s\n" in stem.with_suffix(".hea").read_text()
    bench = Bench(folder)
    bench.push(messages[19], *messages[25:])  # the retained one first
    assert_equal(load_replayable([str(stem)], Catalog())[str(stem)], record, slice(0, 20))
    [stored] = bench.records()
    assert_equal(stored, record, slice(25, None))
    gap = f"gap: samples {20 * HOUR} to {25 * HOUR - 1} of the session ({5 * HOUR_S:.2f} s) were not recorded"
    assert gap in bench.stems[0].with_suffix(".hea").read_text()


def test_a_record_ends_some_time_after_its_publisher(folder: RecordingFolder) -> None:
    bench = Bench(folder)
    bench.push(*sent(head_of(chart(5))))
    bench.bed.release(SESSION, bench.now_ns)
    bench.bed.tick(bench.now_ns + LINGER_NS // 2)
    assert not bench.stems
    bench.bed.tick(bench.now_ns + 2 * LINGER_NS)
    assert len(bench.stems) == 1
