"""Recorded equals sent, whatever the network does; what is missing is invalid and named; a break begins a new file."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.errors import StorageError
from stream.recording.bed_files import BedFiles
from stream.recording.bed_recording import BedRecording
from stream.recording.folder import RecordingFolder
from stream.recording.numerics_table import MAX_COLUMNS
from stream.recording.short_records import ShortRecords
from stream.records.appended_record import AppendedRecord, Column
from stream.records.catalog import without_companions
from stream.records.record import Record, RecordedWave
from stream.records.synthetic.presets import synthetic_record
from stream.records.wfdb_reader import read
from stream.replay.playhead import ReplayConfig, begin
from stream.timebase import FS
from stream.wire.messages import INVALID, Beat, Message, Waveform
from stream.wire.numerics_message import Numeric, Numerics
from stream.wire.wave_message import Wave
from tests.monitor import message_samples
from tests.waveforms import SESSION, wave

SECOND_NS = 1_000_000_000
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def sent(record: Record, **config: object) -> Iterator[Message]:
    """Yield what a publisher sends of a record, in order."""
    head = begin(record, ReplayConfig(**{"chunk": 36, **config}), 1_770_000_000 * SECOND_NS, SESSION)  # type: ignore[arg-type]
    while head.due_ns is not None:
        yield from head.next_waves()
        numerics = head.next_numerics()
        chunk, head = head.next_chunk()
        yield chunk
        if numerics is not None:
            yield numerics


class Bench:
    """Records messages of one bed into a folder, without a broker."""

    def __init__(self, folder: RecordingFolder, rotate: int = 3600 * FS, most_short: int = 1000) -> None:
        self.stems: list[Path] = []
        recorded, short = folder.recorded().get("bed-1", {}), ShortRecords("bed-1", most_short)
        files = BedFiles("bed-1", lambda: folder.next_stem("bed-1"), self.stems.append, recorded, short)
        self.bed = BedRecording(files, rotate)
        self.now_ns = 0

    def push(self, messages: Iterable[Message]) -> None:
        for message in messages:
            match message:
                case Waveform():
                    self.now_ns += SECOND_NS // 10
                    self.bed.push(message, self.now_ns)
                case Wave():
                    self.bed.push_wave(message, self.now_ns)
                case _:
                    self.bed.push_event(message)  # type: ignore[arg-type]
            self.bed.tick(self.now_ns)

    def records(self) -> list[Record]:
        """Finish, and read all records."""
        self.bed.close("the test is over", self.now_ns)
        return [read(stem, name=stem.name, source="test") for stem in self.stems]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RecordingFolder]:
    with RecordingFolder(tmp_path / "out") as entered:
        yield entered


@pytest.fixture(scope="module")
def patient() -> Record:
    """Return 40 s of the synthetic patient: ECG, three waves, numerics."""
    return synthetic_record("synthetic").until(40 * FS)


def test_everything_is_recorded_whatever_the_order(folder: RecordingFolder, patient: Record) -> None:
    messages, rng = list(sent(patient)), random.Random(4)
    for i in rng.sample(range(60, len(messages) - 60, 12), 30):  # neighbours swapped, and messages sent twice
        messages[i], messages[i + 1] = messages[i + 1], messages[i]
        messages.insert(i + 3, messages[i])
    bench = Bench(folder)
    bench.push(messages)
    [record] = bench.records()
    np.testing.assert_array_equal(record.adu[: patient.n], patient.adu)
    assert (record.leads, record.gain, record.zero) == (patient.leads, patient.gain, patient.zero)
    assert {one.signal for one in record.waves} == {one.signal for one in patient.waves}
    for stored in record.waves:
        original = next(one for one in patient.waves if one.signal == stored.signal)
        assert (stored.fs, stored.gain, stored.zero) == (original.fs, original.gain, original.zero)
        np.testing.assert_array_equal(stored.adu[: original.adu.size], original.adu)
    assert {one.name for one in record.numerics} == {one.name for one in patient.numerics}
    for numeric in record.numerics:
        values = next(one for one in patient.numerics if one.name == numeric.name).values
        np.testing.assert_allclose(numeric.values[: values.size], values, atol=0.0051)


def test_files_that_go_on_contain_each_sample_once(folder: RecordingFolder, patient: Record) -> None:
    bench = Bench(folder, rotate=15 * FS)
    bench.push(sent(patient))
    records = bench.records()
    assert len(records) == 3
    np.testing.assert_array_equal(np.concatenate([one.adu for one in records])[: patient.n], patient.adu)
    for original in patient.waves:
        parts = [one.adu for record in records for one in record.waves if one.signal == original.signal]
        np.testing.assert_array_equal(np.concatenate(parts)[: original.adu.size], original.adu)


def test_a_gap_is_invalid_and_named_and_events_have_their_places(folder: RecordingFolder, patient: Record) -> None:
    bench = Bench(folder)
    chunks = [message for message in sent(patient) if isinstance(message, Waveform)]
    bench.push(chunks[:100] + chunks[107:250])
    raised = message_samples.alarm(6000, session=SESSION)
    cleared = msgspec.structs.replace(raised, phase="cleared", end=7000, event_id=f"{raised.alarm_id}-cleared")
    beat = Beat(bed="bed-1", session=SESSION, index=8500, type="V", rr_ms=None, quality=1.0)
    bench.push([beat, cleared, raised, raised])
    [record] = bench.records()
    assert (record.adu[3600:3852] == INVALID).all()
    assert (record.adu[3852 : 250 * 36] == patient.adu[3852 : 250 * 36]).all()
    assert record.annotations is not None
    kind = raised.kind
    assert list(zip(record.annotations.sample.tolist(), record.annotations.symbol, strict=True)) == [
        (3600, '"'),
        (6000, '"'),
        (7000, '"'),
        (8500, "V"),
    ]
    assert record.annotations.aux[0] == "gap: 252 samples (0.70 s) were not received"
    assert record.annotations.aux[1].startswith(f"alarm raised: {kind} (")
    assert record.annotations.aux[2].startswith(f"alarm cleared: {kind} (")


def test_what_a_stranger_invents_stops_and_bloats_nothing(folder: RecordingFolder, patient: Record) -> None:
    bench = Bench(folder)
    chunks = [message for message in sent(patient) if isinstance(message, Waveform)]
    bench.push(chunks[:100])
    bench.push([msgspec.structs.replace(message_samples.alarm(1000, session=SESSION), onset=2**53, end=1500)])
    for number, chunk in enumerate(chunks[100:140]):
        st = [
            Numeric(name="st", value=1.0, unit="mV", source="measured", age_s=0, lead=f"{number} {i}") for i in range(9)
        ]
        values = Numerics(
            bed="bed-1", session=SESSION, epoch=0, index=chunk.start, when="", values=tuple(st), synthetic=False
        )
        bench.push([values, chunk])
    [record] = bench.records()
    assert record.annotations is not None
    assert record.annotations.sample[-1] <= record.n
    header = bench.stems[0].with_name(f"{bench.stems[0].name}n.hea").read_text()
    assert header.split()[1] == str(MAX_COLUMNS)


@pytest.mark.parametrize(("size", "kept"), [(2_000, {"cvp", "pleth"}), (30_000, {"pleth"})])
def test_waves_before_the_ecg_are_kept_within_a_bound_of_bytes(
    folder: RecordingFolder, patient: Record, size: int, kept: set[str]
) -> None:
    bench = Bench(folder)
    bench.push([wave(0, signal="cvp", unit="mmHg"), *(wave(0, samples=bytes(2 * size)) for _ in range(40))])
    bench.push(chunk for chunk in sent(patient.until(2 * FS)) if isinstance(chunk, Waveform))
    [record] = bench.records()
    assert {one.signal for one in record.waves} == kept


def test_a_break_of_the_stream_begins_another_record(folder: RecordingFolder, patient: Record) -> None:
    bench = Bench(folder)
    chunks = [message for message in sent(patient) if isinstance(message, Waveform)]
    changes = [
        {},
        {"epoch": 1},
        {"epoch": 1, "gain": (7.0,) * len(patient.leads)},
        {"epoch": 1, "zero": (1,) * len(patient.leads)},
    ]
    for part, fields in enumerate(changes):
        bench.push(msgspec.structs.replace(one, **fields) for one in chunks[part * 50 : part * 50 + 50])
    fast = [wave(seq, fs=200.0 / 3, session=SESSION, epoch=1) for seq in range(200, 260)]
    last = [msgspec.structs.replace(one, **changes[-1]) for one in chunks[200:260]]
    bench.push(message for pair in zip(fast, last, strict=True) for message in pair)
    records = bench.records()
    assert [one.n for one in records[:4]] == [1800] * 4
    assert [len(one.waves) for one in records] == [0, 0, 0, 0, 1]
    np.testing.assert_array_equal(np.concatenate([one.adu for one in records[:4]]), patient.adu[: 200 * 36])


def test_what_a_killed_process_left_is_completed_and_the_gap_named(folder: RecordingFolder, patient: Record) -> None:
    chunks = [message for message in sent(patient) if isinstance(message, Waveform)]
    killed = Bench(folder)
    killed.push(chunks[:200])  # 20 s; never finished
    AppendedRecord(folder.next_stem("bed-1"), [Column("MLII", "mV", 200.0, 0)], Fraction(360), 0)  # killed at its start
    [stem] = folder.finish_interrupted()
    assert [path.suffix for path in sorted(stem.parent.iterdir())] == [".dat", ".hea"], "the empty one is gone"
    assert "after the last sample is lost, at most 10 s\n" in stem.with_suffix(".hea").read_text()
    before = read(stem, name="x", source="x")
    assert 200 * 36 - 10 * FS <= before.n < 200 * 36
    np.testing.assert_array_equal(before.adu, patient.adu[: before.n])
    assert not folder.finish_interrupted()

    bench = Bench(folder)
    bench.push(chunks[250:])
    [record] = bench.records()
    assert record.name.endswith("_0002")
    gap = f"gap: samples {before.n} to 8999 of the session ({(9000 - before.n) / FS:.2f} s) were not recorded"
    assert gap in bench.stems[0].with_suffix(".hea").read_text()
    assert record.annotations is not None
    assert record.annotations.aux == (gap,)


def test_two_recorders_do_not_share_a_folder(folder: RecordingFolder) -> None:
    with pytest.raises(StorageError, match="another 'bedside record' writes to"), RecordingFolder(folder.path):
        pass


def of_odd_rate(patient: Record) -> Record:
    """Return the patient with two waves at rates that have no frame with the ECG."""
    rng = np.random.default_rng(3)
    own = {"abp": 124.945, "pleth": 62.4725}
    waves = [
        RecordedWave(one.signal, one.unit, fs, 7.5, 3, rng.integers(-900, 900, round(40 * fs)).astype(np.int16))
        for one in patient.waves
        if (fs := own.get(one.signal)) is not None
    ]
    assert len(waves) == 2
    others = [one for one in patient.waves if one.signal not in own]
    return replace(patient, waves=(*others, *waves))


@pytest.mark.parametrize("rotate_s", [3600, 15])
def test_waves_of_any_rate_are_recorded_sample_for_sample(
    folder: RecordingFolder, patient: Record, rotate_s: int
) -> None:
    record = of_odd_rate(patient)
    bench = Bench(folder, rotate=rotate_s * FS)
    bench.push(sent(record))
    stored = bench.records()
    for original in record.waves:
        parts = [one for part in stored for one in part.waves if one.signal == original.signal]
        assert [(one.fs, one.gain, one.zero) for one in parts] == [(original.fs, original.gain, original.zero)] * len(
            stored
        )
        np.testing.assert_array_equal(np.concatenate([one.adu for one in parts])[: original.adu.size], original.adu)
    assert without_companions(path.stem for path in bench.stems[0].parent.glob("*.hea")) == [
        stem.name for stem in bench.stems
    ]


def test_a_wave_of_its_own_rate_keeps_its_times_when_the_recorder_joins_later_and_is_killed(
    folder: RecordingFolder, patient: Record
) -> None:
    record, joined = of_odd_rate(patient), 2592  # a frame of the waves that share them
    messages = [one for one in sent(record) if not isinstance(one, Waveform | Wave) or one.start >= joined]
    Bench(folder).push(messages)  # never finished
    [stem] = folder.finish_interrupted()
    stored = read(stem, name="x", source="x")
    assert stored.n >= 23 * FS, "at most 10 s are lost"
    np.testing.assert_array_equal(stored.adu, record.adu[joined : joined + stored.n])
    for signal in ("abp", "pleth"):
        original = next(one for one in record.waves if one.signal == signal)
        found = next(one for one in stored.waves if one.signal == signal)
        first = math.ceil(joined / FS * original.fs)
        assert found.adu.size >= 23 * original.fs
        np.testing.assert_array_equal(found.adu, original.adu[first : first + found.adu.size])
