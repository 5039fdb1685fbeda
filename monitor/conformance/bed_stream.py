"""The stream of a bed: ECG, the waves beside it, annotations; time, order and continuity."""

from __future__ import annotations

from collections import deque

from monitor.conformance import rules
from monitor.conformance.findings import Note
from stream.timebase import FS
from stream.wire.messages import Annotation, Waveform
from stream.wire.wave_message import Wave

EARLY_NS, DELAYED_NS, LATE_NS = 250_000_000, 2_000_000_000, 60_000_000_000
"""A chunk may arrive this much before it is due, for clocks that differ; beyond this late it is remarked on; and beyond
the 30 s buffers of publisher and consumer together, it is no delay."""

EXACT_NS = 1_000_000
"""Tolerance of deadlines in ns: they are computed, not measured."""

EXCUSE_NS = 3_000_000_000
"""Time in ns after a status or a command that may move the deadlines."""

SILENCE_S, SILENCE_CHUNKS = 5.0, 2.5

KEPT = 512
"""Chunks of a bed that results are compared with: 51 s of the usual ones."""


class BedStream:
    """What has been received of the publisher of a bed.

    Attributes
    ----------
    last : Waveform or None
        The last chunk of ECG in order.
    chunks : dict of int to Waveform
        The last chunks of its session, by ``seq``.
    epochs : deque of int
        The last epochs of its session.
    sent_ns : int
        Monotonic time in ns of the last chunk, or of the last status that explains why there is none.
    """

    def __init__(self) -> None:
        self.last: Waveform | None = None
        self.chunks: dict[int, Waveform] = {}
        self.epochs: deque[int] = deque(maxlen=16)
        self.sent_ns = 0
        self._former: deque[str] = deque(maxlen=16)
        self._waves: dict[str, Wave] = {}
        self._waiting: list[tuple[Wave, Note]] = []
        self._excused_ns = 0
        self._silent = False

    def excuse(self, now_ns: int) -> None:
        """Note that deadlines may move now: a command was sent, or the publisher pauses."""
        self._excused_ns = now_ns + EXCUSE_NS

    def is_former(self, session: str) -> bool:
        """Return whether a session was sent before the present one."""
        return session in self._former

    # --- ECG ----------------------------------------------------------------------------------------------------

    def chunk(self, chunk: Waveform, received_ns: int, now_ns: int, note: Note) -> None:
        """Check a chunk of ECG; Unix and monotonic time in ns."""
        _check_arrival(chunk, received_ns, note)
        self.sent_ns, self._silent = now_ns, False
        last = self.last
        if last is not None and chunk.session != last.session:
            if chunk.session in self._former:
                note(rules.WRITER, f"session {chunk.session[:8]} again, after one of {last.session[:8]}")
                return
            self._former.append(last.session)
            self.chunks.clear()
            self.epochs.clear()
            if chunk.seq or chunk.start:
                note(rules.BEGIN, f"seq {chunk.seq}, start {chunk.start}")
        elif last is not None:
            if chunk.seq <= last.seq:
                _check_repetition(chunk, last, note)
                return
            _check_order(chunk, last, note)
            _check_epoch(chunk, last, note)
            if now_ns >= self._excused_ns:
                _check_deadline(chunk, last, note)
        self._check_waves(chunk)
        self.last = chunk
        self.chunks[chunk.seq] = chunk
        if chunk.epoch not in self.epochs:
            self.epochs.append(chunk.epoch)
        if len(self.chunks) > KEPT:
            del self.chunks[next(iter(self.chunks))]

    def check_silence(self, now_ns: int, note: Note) -> None:
        """Check that a bed whose status is playing still sends; monotonic time in ns."""
        last = self.last
        if last is None or self._silent:
            return
        allowed_s = max(SILENCE_S, SILENCE_CHUNKS * last.n / (FS * last.speed))
        silent_s = (now_ns - self.sent_ns) / 1e9
        if silent_s > allowed_s:
            self._silent = True
            note(rules.SILENT, f"no chunk for {silent_s:.1f} s while the status is playing")

    # --- beside the ECG -----------------------------------------------------------------------------------------

    def wave(self, wave: Wave, note: Note) -> None:
        """Check a chunk of another wave; it is compared with its ECG once that has come."""
        last, before = self.last, self._waves.get(wave.signal)
        if wave == before:
            note(rules.DUPLICATE, f"seq {wave.seq} twice")
            return
        if last is not None and wave.session == last.session and wave.seq <= last.seq:
            note(rules.WAVE_ORDER, f"seq {wave.seq} after the ECG of seq {last.seq}")
        if before is not None and (before.session, before.epoch) == (wave.session, wave.epoch):
            _check_wave_continuity(wave, before, note)
        self._waves[wave.signal] = wave
        self._waiting.append((wave, note))
        del self._waiting[:-KEPT]

    def annotation(self, annotation: Annotation, note: Note) -> None:
        """Check a reference annotation."""
        last = self.last
        if last is None:
            return
        if annotation.session != last.session:
            note(rules.SESSION, f"session {annotation.session[:8]}", f"session {last.session[:8]}")
        elif annotation.index >= last.end:
            note(rules.ANNOTATION, f"sample {annotation.index}, and ECG up to {last.end - 1}")

    def _check_waves(self, chunk: Waveform) -> None:
        later = []
        for wave, note in self._waiting:
            if wave.session == chunk.session and wave.seq > chunk.seq:
                later.append((wave, note))
            elif wave.session == chunk.session and wave.seq == chunk.seq:
                _check_beside(wave, chunk, note)
        self._waiting = later


def _check_arrival(chunk: Waveform, received_ns: int, note: Note) -> None:
    late_ns = received_ns - chunk.due_ns
    if late_ns < -EARLY_NS:
        note(rules.EARLY, f"seq {chunk.seq} received {-late_ns / 1e9:.3f} s before it is due")
    elif late_ns > LATE_NS:
        note(rules.LATE, f"seq {chunk.seq} received {late_ns / 1e9:.1f} s after it was due")
    elif late_ns > DELAYED_NS:
        note(rules.DELAYED, f"seq {chunk.seq} received {late_ns / 1e9:.1f} s after it was due")


def _check_repetition(chunk: Waveform, last: Waveform, note: Note) -> None:
    if chunk == last:  # QoS 1 may deliver a message twice
        note(rules.DUPLICATE, f"seq {chunk.seq} twice")
    else:
        note(rules.SEQ, f"seq {chunk.seq} after {last.seq}", f"seq {last.seq + 1}")


def _check_order(chunk: Waveform, last: Waveform, note: Note) -> None:
    lost = chunk.seq - last.seq - 1
    if chunk.start < last.end + lost or (not lost and chunk.start != last.end):
        note(rules.START, f"start {chunk.start} of seq {chunk.seq}, after seq {last.seq}", f"start {last.end}")
    elif lost:
        note(rules.GAP, f"seq {chunk.seq} after {last.seq}: {chunk.start - last.end} samples are missing")


def _check_epoch(chunk: Waveform, last: Waveform, note: Note) -> None:
    lost = chunk.seq - last.seq > 1
    if chunk.epoch == last.epoch:
        if chunk.epoch_start != last.epoch_start:
            note(rules.EPOCH_START, f"{chunk.epoch_start} after {last.epoch_start} in epoch {chunk.epoch}")
        moved = chunk.position - last.position - (chunk.start - last.start)
        if moved:
            note(rules.EPOCH, f"the position jumps by {moved} samples within epoch {chunk.epoch}")
        for name in ("record", "leads", "gain", "zero", "synthetic"):
            if getattr(chunk, name) != getattr(last, name):
                note(rules.EPOCH, f"another {name} within epoch {chunk.epoch}")
        return
    if chunk.epoch < last.epoch or (chunk.epoch > last.epoch + 1 and not lost):
        note(rules.EPOCH, f"epoch {chunk.epoch} after {last.epoch}", f"epoch {last.epoch + 1}")
    if chunk.epoch_start < last.end or (chunk.epoch_start != chunk.start and not lost):
        note(rules.EPOCH_START, f"epoch_start {chunk.epoch_start} of an epoch that begins at {chunk.start}")


def _check_deadline(chunk: Waveform, last: Waveform, note: Note) -> None:
    if (chunk.epoch, chunk.speed) != (last.epoch, last.speed):
        return
    expected_ns = last.t0_ns + round((chunk.start - last.start) * 1e9 / (FS * chunk.speed))
    if abs(chunk.t0_ns - expected_ns) > EXACT_NS:
        moved_ms = (chunk.t0_ns - expected_ns) / 1e6
        note(rules.DEADLINE, f"t0_ns of seq {chunk.seq} moved by {moved_ms:+.1f} ms", f"t0_ns {expected_ns}")


def _half_sample(wave: Wave) -> float:
    """Return half a sample of a wave, in samples at 360 Hz."""
    return 0.5 * FS / wave.fs


def _check_wave_continuity(wave: Wave, before: Wave, note: Note) -> None:
    for name in ("fs", "gain", "zero", "record"):
        if getattr(wave, name) != getattr(before, name):
            note(rules.EPOCH, f"another {name} of {wave.signal} within epoch {wave.epoch}")
    if wave.seq <= before.seq:
        note(rules.SEQ, f"seq {wave.seq} after {before.seq}", f"a seq above {before.seq}")
        return
    jump = wave.start - before.end
    if abs(jump) <= _half_sample(wave):
        return
    if jump > 0 and wave.seq > before.seq + 1:
        note(rules.GAP, f"seq {wave.seq} after {before.seq}: {jump / FS:.3f} s are missing")
    else:
        note(rules.WAVE_START, f"start {wave.start:g} of seq {wave.seq}", f"start {before.end:g}")


def _check_beside(wave: Wave, chunk: Waveform, note: Note) -> None:
    """Compare a wave with the chunk of ECG of the same ``seq``."""
    for name in ("epoch", "epoch_start", "record", "speed", "synthetic"):
        own, of_ecg = getattr(wave, name), getattr(chunk, name)
        if own != of_ecg:
            note(rules.WAVE_PLACE, f"{name} {own} of seq {wave.seq}", f"{name} {of_ecg}")
    slack, after = _half_sample(wave), wave.start - chunk.start
    last_sample = wave.end - FS / wave.fs
    if after < -slack or last_sample >= chunk.end + slack:
        seen = f"samples from {wave.start:g} to {last_sample:g} beside ECG from {chunk.start} to {chunk.end - 1}"
        note(rules.WAVE_INTERVAL, seen)
    apart_ns = wave.t0_ns - chunk.t0_ns - after * 1e9 / (FS * chunk.speed)
    apart = wave.position - chunk.position - after
    if abs(apart_ns) > EXACT_NS:
        note(rules.WAVE_DEADLINE, f"t0_ns of seq {wave.seq} is {apart_ns / 1e6:+.1f} ms from that of the ECG")
    elif abs(apart) > slack:
        note(rules.WAVE_DEADLINE, f"position of seq {wave.seq} is {apart:+.1f} samples from that of the ECG")
