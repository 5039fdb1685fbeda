"""What the next chunk of a bed changes before it is analysed: gaps, silence, a new session, a new start."""

from __future__ import annotations

from model.pipeline.bed_group import Slot
from model.pipeline.beds import Beds
from model.serving import bed_watch
from model.serving.bed import Bed, new_counters
from model.serving.bed_output import BedOutput
from stream.clock import Clock, monotonic_ns
from stream.timebase import FS
from stream.wire.bed_stream import Taken
from stream.wire.messages import Waveform

MAX_BRIDGED = 60 * FS
"""Longest gap within an epoch, in samples, after which the analysis goes on with what it learned of the patient."""


def begin(analysis: Beds, chunk: Waveform) -> Slot:
    """Begin the analysis of a bed with ``chunk``."""
    return analysis.begin(chunk.analysed, chunk.start, chunk.epoch_start)


def finish(bed: Bed, output: BedOutput) -> None:
    """Publish what the end of the epoch completes, and end all conditions."""
    output.publish_end(bed, bed.slot.finish())


def accept(analysis: Beds, bed: Bed, taken: Taken, output: BedOutput, clock: Clock) -> None:
    """Make the chunk that was taken the last one of its bed."""
    chunk, lost = taken.chunk, taken.check.lost_samples
    bed.lost_samples = lost
    bed.received_ns, bed.paused_until_ns = monotonic_ns(clock), 0
    if chunk is bed.chunk:
        return  # the first one
    if bed.silent:
        output.change(bed, bed_watch.silence_ended(bed, chunk, lost))
    if taken.check.discontinuous or bed.ended or bed.restored:
        _restart_analysis(analysis, bed, chunk, output)
    if chunk.session != bed.chunk.session:
        output.change(bed, bed_watch.contest_changed(bed, False))
        bed.counters = new_counters()
    if lost:
        bed.counters["gaps"] += 1
        bed.counters["lost_samples"] += lost
        output.warn(f"bed {chunk.bed}: gap of {lost} samples before sample {chunk.start}")
    bed.chunk = chunk
    if bed.restored:
        bed.restored = False
        bed.alarms.resume(bed.context(clock.now_ns()))
    if lost and not bed.silent:
        output.change(bed, bed_watch.samples_lost(chunk.start, lost))
    bed.silent = bed.shed = False


def _restart_analysis(analysis: Beds, bed: Bed, chunk: Waveform, output: BedOutput) -> None:
    """End all conditions and restart the analysis with ``chunk``, which does not continue the last one.

    After a short gap the analysis goes on with what it learned of the patient. The alarms of a restored bed stay
    until their conditions are confirmed, or not in time.
    """
    if not bed.ended and not bed.restored:
        finish(bed, output)
    bed.ended = False
    last = bed.place
    same = (chunk.session, chunk.epoch, chunk.leads) == (last.session, last.epoch, last.leads)
    if same and bed.slot.leads == chunk.analysed and 0 <= chunk.start - last.end <= MAX_BRIDGED:
        bed.slot.after_gap(chunk.start, chunk.epoch_start)
    else:
        bed.slot.release()
        bed.slot = begin(analysis, chunk)
        bed.next_checkpoint_ns = 0  # what was saved belongs to another epoch
    bed.learning = True
    bed.next_status_ns = 0
