"""Do residual alarms find ectopic beats? The shipped pipeline against the reference beats, end to end and causal.

- Every record runs through `model.pipeline` from its first sample, as it would live; scored is what lies after 5:00.
- A **beat** is scored by the highest score that became known from 150 ms before its R peak to 250 ms after it: a wide
  complex begins before its R peak, and a causal score, which averages over the last samples, peaks after it.
- **Positive** are ventricular ectopic beats (VEB: V and E). A fusion beat (F) is neither hit nor miss; every other
  beat is negative.
- A **false episode** is an alarm with no VEB and no F within its onset and end, or 150 ms of them (EC57's window for
  beats). Waves of ventricular flutter (``!``, in record 207 only) excuse an alarm, too: nobody counts beats there.

What becomes of the counts is in `model.residual_figures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from model import detection, pipeline, scaling
from model.baselines import fit_ar
from model.checkpoint import Checkpoint
from model.config import PATCH
from model.dataset import DS1, TRAIN, load_signals, without
from model.episodes import Cleared
from model.pipeline import RESIDUAL
from model.residual_figures import METHODS, OURS, THRESHOLDS, RecordResult, ResidualReport, print_residual, report_of
from model.rivals import AHEAD, Rival, patch_ends, rivals
from stream import records as wfdb_records
from stream.catalog import Catalog
from stream.errors import RecordError, UsageError
from stream.messages import FS

__all__ = ["ResidualReport", "break_even_thresholds", "evaluate_residual", "print_residual"]

BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Annotations that are beats."""

VEB = frozenset("VE")
EXCUSING = VEB | frozenset("F!")
"""What an alarm may be about without being false."""

BEFORE_R, AFTER_R = 54, 90
"""The window of a beat in samples: 150 ms before R to 250 ms after it."""

TOLERANCE = 54
"""Samples, 150 ms, by which a beat may lie outside an alarm that is about it."""

SCORED_FROM = 300 * FS
CHUNK = 10 * FS
AR_ORDER = 180
AR_RECORDS = tuple(name for name in DS1 if name != "201")
"""What AR(180) is fitted to: DS1 without the patient that is also in DS2."""

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reference:
    """The annotations of a record that say what an alarm should do; samples rising.

    Attributes
    ----------
    beats : ndarray of int64, shape (n,)
        R peaks of the beats that are hit or miss, from 5:00.
    veb : ndarray of bool, shape (n,)
    excusing : ndarray of int64
        What an alarm may be about, over the whole record.
    hours : float
        From 5:00 to the end.
    """

    beats: Ints
    veb: Bools
    excusing: Ints
    hours: float


@dataclass(frozen=True)
class Traced:
    """What one method made of one record: a score at each patch's end, and the first and last samples of alarms."""

    score: Array
    at: Ints
    first: Ints
    last: Ints


def evaluate_residual(
    records: Sequence[str], *, forecaster: Checkpoint, exclude: Sequence[str] = (), catalog: Catalog | None = None
) -> ResidualReport:
    """Score the residual alarms and their rivals on MIT-BIH records, with a progress bar.

    Parameters
    ----------
    records : sequence of str
        As `model.dataset.parse_records` returns them.
    forecaster : Checkpoint
    exclude : sequence of str
        Records left out.
    catalog : Catalog, optional

    Raises
    ------
    UsageError
        No record is left, or one is too short to score.
    RecordError
        A record is nowhere or has no annotations, or one that AR is fitted to is nowhere.
    """
    names = without(records, exclude)
    signals, references = load(names, catalog)
    traced = {OURS: run_pipeline(signals, forecaster)}
    for method, rival in fitted_rivals(catalog).items():
        traced[method] = {name: run_rival(rival, name, mv, THRESHOLDS[method]) for name, mv in signals.items()}
    return report_of(
        {name: judge(references[name], {method: traced[method][name] for method in METHODS}) for name in names}
    )


def load(names: Iterable[str], catalog: Catalog | None = None) -> tuple[dict[str, Array], dict[str, Reference]]:
    """Read the samples, mV of shape (n, leads) with NaN where invalid, and the reference beats of records."""
    signals, references = {}, {}
    for name in names:
        record = wfdb_records.load(f"mitdb/{name}", catalog)
        if record.annotations is None:
            raise RecordError(f"record {name} has no reference beats: put its .atr file beside it")
        if record.n <= SCORED_FROM:
            raise UsageError(f"record {name} is too short to score: it must last longer than 5 minutes")
        signals[name] = record.mv()
        references[name] = reference_of(record.annotations.sample, record.annotations.symbol, record.n)
    return signals, references


def reference_of(sample: Ints, symbol: Sequence[str], n: int) -> Reference:
    """Return what the annotations of a record with n samples say; those past its end say nothing."""
    order = np.argsort(sample, kind="stable")
    order = order[sample[order] < n]
    sample, kinds = sample[order], [symbol[i] for i in order]
    scored = np.array([kind in BEATS and kind != "F" for kind in kinds], dtype=bool) & (sample >= SCORED_FROM)
    return Reference(
        beats=sample[scored],
        veb=np.array([kind in VEB for kind in kinds], dtype=bool)[scored],
        excusing=sample[np.array([kind in EXCUSING for kind in kinds], dtype=bool)],
        hours=(n - SCORED_FROM) / FS / 3600,
    )


def run_pipeline(signals: Mapping[str, Array], forecaster: Checkpoint) -> dict[str, Traced]:
    """Run records through the shipped pipeline side by side, in chunks of 10 s, both leads, state carried."""
    states = {name: pipeline.begin(forecaster, mv.shape[1], 0, 0) for name, mv in signals.items()}
    scores: dict[str, list[Array]] = {name: [] for name in signals}
    origins: dict[str, list[Ints]] = {name: [] for name in signals}
    cleared: dict[str, list[Cleared]] = {name: [] for name in signals}
    chunks = range(0, max(map(len, signals.values())), CHUNK)
    for i in track(chunks, description="residual alarms", console=Console(stderr=True), transient=True):
        live = [name for name, mv in signals.items() if i < len(mv)]
        stepped = pipeline.step(forecaster, [states[n] for n in live], [signals[n][i : i + CHUNK] for n in live])
        for name, (output, state) in zip(live, stepped, strict=True):
            states[name] = state
            scores[name].append(output.score)
            origins[name].append(output.origin)
            cleared[name] += [event for event in output.events if isinstance(event, Cleared)]
    for name, state in states.items():
        cleared[name] += [event for event in pipeline.finish(state) if isinstance(event, Cleared)]
    return {
        name: Traced(
            np.concatenate(scores[name]),
            np.concatenate(origins[name]),
            np.array([event.onset for event in cleared[name]], dtype=np.int64),
            np.array([event.end - 1 for event in cleared[name]], dtype=np.int64),
        )
        for name in signals
    }


def fitted_rivals(catalog: Catalog | None = None) -> dict[str, Rival]:
    """Return the rivals, AR(180) fitted to the first leads of DS1 without 201."""
    signals = load_signals(AR_RECORDS, catalog)
    return rivals(fit_ar((mv[:, 0] for mv in signals.values()), AR_ORDER, (AHEAD,)))


def run_rival(rival: Rival, name: str, mv: Array, threshold: float) -> Traced:
    """Run a record through a rival; its alarms last, like ours, until the score has been below for a second."""
    held, _ = scaling.hold(mv, np.zeros(mv.shape[1]))
    score, at = rival.score(name, held), patch_ends(len(mv))
    first, last = detection.runs_above(score, at, threshold, RESIDUAL.hold * PATCH)
    return Traced(score, at, first - rival.looks_back + 1, last)


def score_beats(traced: Traced, beats: Ints) -> Array:
    """Return the score of each beat: the highest in its window."""
    return detection.highest_within(traced.score, traced.at, beats - BEFORE_R, beats + AFTER_R)


def judge(reference: Reference, traced: Mapping[str, Traced]) -> RecordResult:
    """Hold what the methods made of a record against its reference; alarms that end before 5:00 do not count."""
    score, episodes, false = {}, {}, {}
    for method, trace in traced.items():
        scored = trace.last >= SCORED_FROM
        alone = detection.without_any(trace.first[scored], trace.last[scored], reference.excusing, TOLERANCE)
        score[method] = score_beats(trace, reference.beats)
        episodes[method], false[method] = int(scored.sum()), int(alone.sum())
    return RecordResult(reference.veb, reference.hours, score, episodes, false)


def break_even_thresholds(
    forecaster: Checkpoint, names: Sequence[str] = TRAIN, catalog: Catalog | None = None
) -> dict[str, float]:
    """Return, by method, the threshold that marks as many beats as there are VEB, pooled over records.

    Sensitivity, precision and F1 are equal there. It is close to the threshold of the best F1, one rule for all
    methods, and has a meaning for a random score, too. Choose with it on DS1 only; the rivals' do not depend on
    ``forecaster``.
    """
    report = evaluate_residual(names, forecaster=forecaster, catalog=catalog)
    return {method: detection.break_even(report.counts(method)) for method in METHODS}
