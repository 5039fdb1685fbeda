"""State of the analysis of one bed, apart from the others: to begin, to go on after a gap, to end, to move.

While a bed is analysed, its state lies in a slot of the columns of `model.pipeline.bed_group`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.frequent_episodes import FrequentState
from model.anomaly.state import DEFAULT_CONFIG, AnomalyColumns, AnomalyNotes, AnomalyState
from model.beats import beat_detector, repetition
from model.beats.beat_detector import BeatsState
from model.beats.repetition import RepetitionState
from model.conditions import numeric_conditions
from model.conditions.changes import Began, Ended
from model.conditions.numeric_conditions import NumericState
from model.forecast import forecaster, personal_forecast
from model.forecast.forecaster import ForecasterColumns, ForecasterState
from model.forecast.inference import Precision
from model.forecast.personal_forecast import PersonalColumns
from model.physiology import st_level
from model.physiology.derived_values import WavesState
from model.physiology.st_level import StState
from model.pipeline import vitals_output
from model.pipeline.analysis import Analysis, Models
from model.pipeline.vitals_output import SecondState
from model.rhythm import rhythm_detector, signal_status, ventricular_fibrillation
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.signal_status import StatusState
from model.rhythm.ventricular_fibrillation import FibrillationState
from model.signal import blocks, fibrillation_waveform, intake, mains, pulse_detector, signal_quality, slots
from model.signal.blocks import BlocksState
from model.signal.fibrillation_waveform import WaveformState
from model.signal.intake import IntakeState
from model.signal.mains import MainsState
from model.signal.signal_quality import QualityState
from model.signal.state_codec import pack, unpack


class Columns(NamedTuple):
    """Columns of all stages; the first axis of all arrays is the slots of beds."""

    intake: IntakeState
    mains: MainsState
    forecaster: ForecasterColumns
    personal: PersonalColumns
    anomaly: AnomalyColumns
    beats: BeatsState
    repetition: RepetitionState
    blocks: BlocksState
    waveform: WaveformState
    fibrillation: FibrillationState
    quality: QualityState
    signal: StatusState
    second: SecondState
    rhythm: RhythmState


@dataclass(frozen=True, slots=True)
class Notes:
    """What is noted of a bed beside its columns; it changes when something happens.

    Attributes
    ----------
    anomaly : AnomalyNotes
    frequent : FrequentState
    technical : tuple of Began
        The technical conditions that hold, oldest first.
    pulses : bytes
        The pulse detectors, as bytes; empty for a bed without waves.
    numerics : NumericState
        SpO2, pressures, respiration, and their conditions.
    st : StState
        ST levels of the last beats, and their baseline.
    waves : WavesState or None
        What is kept of the waves; None for a bed without.
    """

    anomaly: AnomalyNotes
    frequent: FrequentState
    technical: tuple[Began, ...]
    pulses: bytes
    numerics: NumericState
    st: StState
    waves: WavesState | None = None

    def __post_init__(self) -> None:
        pulse_detector.from_bytes(self.pulses)


@dataclass(frozen=True, slots=True)
class BedState:
    """State of the analysis of one bed.

    Attributes
    ----------
    leads : tuple of str
    precision : Precision
        Of the forecaster; a bed keeps it for a whole epoch, whichever process continues it.
    layout : str
        Types and shapes of the columns, see `model.signal.slots`.
    data : bytes
        The columns.
    notes : Notes
    """

    leads: tuple[str, ...]
    precision: Precision
    layout: str
    data: bytes
    notes: Notes

    def __post_init__(self) -> None:
        if len(self.data) != slots.size(self.layout):
            raise ValueError("the columns of a bed do not have the length of their layout")

    @property
    def columns(self) -> Columns:
        """A copy of the columns, with one slot."""
        return slots.from_bytes(Columns, self.layout, self.data)

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return pack(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> BedState:
        """Return the state from the bytes of `to_bytes`.

        Raises
        ------
        StorageError
            The bytes are not a valid state.
        """
        return unpack(data, cls)


def state_of(leads: Sequence[str], precision: Precision, columns: Columns, notes: Notes) -> BedState:
    """Return the state from columns with one slot."""
    return BedState(tuple(leads), precision, slots.layout_of(columns), slots.SlotBytes(columns)[0], notes)


def begin(
    models: Models, leads: Sequence[str], start: int, epoch_start: int, precision: Precision | None = None
) -> BedState:
    """Return the state of a bed whose first sample is ``start``, in an epoch that began with sample ``epoch_start``.

    The precision is that of the models unless it is given.
    """
    n, precision = len(leads), precision or models.precision
    received = intake.begin(n, start, epoch_start)
    first = int(received.next_stride[0])
    anomaly = anomaly_detector.begin(first, leads, models.forecaster.config.patch)
    columns = Columns(
        intake=received,
        mains=mains.begin(n),
        forecaster=forecaster.begin(models.forecaster, n, precision).columns,
        personal=personal_forecast.begin(n, models.forecaster.scaling),
        anomaly=anomaly.columns,
        beats=beat_detector.begin(first, n),
        repetition=repetition.begin(n),
        blocks=blocks.begin(n),
        waveform=fibrillation_waveform.begin(n),
        fibrillation=ventricular_fibrillation.begin(first, n),
        quality=signal_quality.begin(first, n),
        signal=signal_status.begin(),
        second=vitals_output.begin(),
        rhythm=rhythm_detector.begin(first),
    )
    return state_of(leads, precision, columns, _first_notes(anomaly.notes, first, n))


def _first_notes(anomaly: AnomalyNotes, first: int, leads: int) -> Notes:
    return Notes(anomaly, FrequentState(), (), b"", NumericState(), st_level.begin(first, leads))


def after_gap(models: Models, state: BedState, start: int, epoch_start: int) -> BedState:
    """Return the state of a bed that goes on with sample ``start`` after lost samples of the same epoch.

    Filters, beats in progress, runs and conditions begin anew; what was learned of the patient is kept: baseline, scale
    and calibration of the forecast, what the personal forecast learned, history and templates of the anomaly score,
    templates and levels of the beats. The caller reports the ends of the conditions that held, with `finish`.
    """
    fresh = begin(models, state.leads, start, epoch_start, state.precision).columns
    first = int(fresh.intake.next_stride[0])
    learned, notes = state.columns, state.notes
    forecasting = ForecasterState(learned.forecaster, state.precision)
    anomaly = anomaly_detector.after_gap(AnomalyState(learned.anomaly, notes.anomaly), first)
    columns = fresh._replace(
        forecaster=forecaster.after_gap(models.forecaster, forecasting).columns,
        personal=personal_forecast.after_gap(learned.personal),
        anomaly=anomaly.columns,
        beats=beat_detector.after_gap(learned.beats, first),
        repetition=repetition.after_gap(learned.repetition),
        quality=signal_quality.after_gap(learned.quality, first),
        signal=signal_status.after_gap(learned.signal),
        second=vitals_output.after_gap(learned.second),
        rhythm=rhythm_detector.after_gap(learned.rhythm, first),
    )
    frequent = frequent_episodes.after_gap(notes.frequent, first)
    kept = Notes(
        anomaly.notes, frequent, (), b"", numeric_conditions.after_gap(notes.numerics), st_level.after_gap(notes.st)
    )
    return state_of(state.leads, state.precision, columns, kept)


def finish(models: Models, state: BedState) -> Analysis:
    """End the epoch: return the beats of its last, incomplete stride, and the ends of all conditions that hold."""
    columns = state.columns
    end = int(columns.intake.end[0])
    strides, _ = mains.step(columns.mains, intake.complete(columns.intake))
    beats = beat_detector.step(models.beat_classifier, columns.beats, strides)[0] if len(strides.mv) else ()
    quality = float(columns.signal.quality[0])
    graded = tuple(replace(beat, quality=quality) for beat in beats if beat.at < end)
    return Analysis(beats=graded, changes=_ends(columns, state.notes, end - 1))


def _ends(columns: Columns, notes: Notes, at: int) -> tuple[Ended, ...]:
    anomaly = anomaly_detector.finish(DEFAULT_CONFIG, notes.anomaly, at)
    technical = (
        Ended(began.kind, began.onset, max(at, began.onset) + 1, at, "signal_interrupted", leads=began.leads)
        for began in notes.technical
    )
    frequent = frequent_episodes.close(notes.frequent, at)
    unusual = tuple(ended for ended in (anomaly, frequent) if ended is not None)
    numeric = numeric_conditions.close(notes.numerics, at)
    return (*unusual, *rhythm_detector.close(columns.rhythm, at), *numeric, *technical)
