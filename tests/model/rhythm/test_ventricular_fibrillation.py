"""Onset and end of ventricular fibrillation, and no onset in other rhythms, on synthetic waves and a real record."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from model.beats import beat_detector
from model.beats.beat import to_rows
from model.beats.classifier import load_classifier
from model.rhythm import ventricular_fibrillation
from model.rhythm.ventricular_fibrillation import MAX_WITHOUT_EVIDENCE, Fibrillation, FibrillationState
from model.signal import blocks, fibrillation_waveform
from model.signal.arrays import FloatArray
from model.signal.blocks import BlocksState
from model.signal.fibrillation_waveform import RECENT_BLOCKS, SAMPLES_PER_BLOCK, Waveform, WaveformState
from model.signal.intake import strides_of
from stream.timebase import FS, STRIDE
from tests.model.ecg_waves import beats, broad_beats, fibrillating
from tests.model.slots import assert_equal, batch_of, cut, joined, taken


def run(mv: FloatArray, start: int = 0, margin: float | None = None) -> list[Fibrillation]:
    """Return the decisions; with ``margin``, the waveform resembles fibrillation in each window by this margin."""
    leads = mv.shape[1]
    strides = strides_of(mv, start)
    found, _ = beat_detector.step(load_classifier(), beat_detector.begin(start, leads), strides)
    whole, _ = blocks.step(blocks.begin(leads), strides)
    waveform, _ = fibrillation_waveform.step(fibrillation_waveform.begin(leads), whole)
    decisions: list[Fibrillation] = []
    state = ventricular_fibrillation.begin(start, leads)
    for block in waveform:
        if margin is not None:
            block = replace(block, margin=margin)
        reported = [beat for beat in found if block.at - blocks.BLOCK < beat.at <= block.at]
        new, state = ventricular_fibrillation.step(state, [block], reported)
        decisions += new
    return decisions


def episodes(decisions: list[Fibrillation]) -> list[tuple[int, int, int]]:
    """Return (onset, detected, last sample) of each episode."""
    groups = itertools.groupby((f for f in decisions if f.since is not None), key=lambda f: f.since)
    spans = [(since, [point.at for point in points]) for since, points in groups]
    return [(since, at[0], at[-1]) for since, at in spans if since is not None]


def noise(seconds: float, mv: float = 1.0) -> FloatArray:
    """Return two leads of irregular spikes on a wandering baseline, as during chest compressions."""
    rng = np.random.default_rng(3)
    n = round(seconds * FS)
    spikes = np.zeros((n, 2))
    spikes[rng.integers(0, n, round(3 * seconds))] = rng.normal(0, 8 * mv, (round(3 * seconds), 2))
    kernel = np.hanning(9)
    return np.stack([np.convolve(spikes[:, lead], kernel / 3, "same") for lead in range(2)], axis=1) + rng.normal(
        0, 0.05, (n, 2)
    )


@pytest.mark.parametrize("hz", [3.5, 5.0, 7.0])
@pytest.mark.parametrize("leads", [1, 2])
def test_fibrillation_is_detected_within_five_seconds_and_ends_with_beats(hz: float, leads: int) -> None:
    start = 1000
    mv = np.concatenate([beats(20), fibrillating(15, hz), beats(15)])[:, :leads]
    [(since, detected, last)] = episodes(run(mv, start=start))
    onset, end = start + 20 * FS, start + 35 * FS
    assert abs(since - onset) < 2 * FS
    assert onset + 2 * FS < detected < onset + 5 * FS
    assert end < last < end + 7 * FS


@pytest.mark.parametrize("rate", [40, 75, 120, 180, 230])
def test_a_regular_rhythm_is_not_detected(rate: float) -> None:
    assert not episodes(run(beats(30, rate)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_beats_that_repeat_below_150_per_minute_are_not_detected_whatever_the_waveform(seed: int) -> None:
    decisions = run(broad_beats(40, seed=seed), margin=0.2)
    assert not [since for since, *_ in episodes(decisions) if since > 8 * FS]
    assert episodes(run(fibrillating(40, seed=seed), margin=0.2))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_beats_that_all_repeat_are_not_detected_at_158_per_minute(seed: int) -> None:
    decisions = run(broad_beats(40, rate=158, seed=seed), margin=0.2)
    assert not [last for *_, last in episodes(decisions) if last > 8 * FS]


@pytest.mark.parametrize(
    ("similarities", "rr", "windows"),
    [
        ((1, 0, 1, 0, 1, 0), 0.3, 3),  # faster than the tachycardia that could be meant
        ((1, 0, 1, 0, 1, 0), 0.4, 5),
        ((1, 1, 1, 1, 1, 1), 0.4, 5),
        ((1, 0, 1, 0, 0, 0), 0.4, 3),
        ((1, 0, 1, 0, 1, 0), 0.6, 3),  # some of them may be the beats before the onset
    ],
)
def test_complexes_that_repeat_like_those_of_a_tachycardia_delay_the_onset(
    similarities: tuple[float, ...], rr: float, windows: int
) -> None:
    """The slope of the signal does not lie in the complexes, so the beats are not organised."""
    first = 10 * FS
    state = ventricular_fibrillation.begin(0, 1)
    for k, similarity in enumerate(similarities):
        state.complexes.r_peak[0, k] = round(first + k * rr * FS)
        state.complexes.similarity[0, k], state.complexes.steepness[0, k] = similarity, 0.1
    state.complexes.known[0] = len(similarities)
    recent = np.sin(np.arange(RECENT_BLOCKS * SAMPLES_PER_BLOCK))[:, None]
    waveform = [Waveform(first + (k + 1) * blocks.BLOCK, 0.2, 0.2, 10.0, recent) for k in range(6)]
    decisions, _ = ventricular_fibrillation.step(state, waveform, ())
    assert [decision.since is not None for decision in decisions].index(True) + 1 == windows


def test_fibrillation_ends_with_broad_beats() -> None:
    mv = np.concatenate([beats(10), fibrillating(15), broad_beats(15)])
    [(_, _, last)] = episodes(run(mv))
    assert 25 * FS < last < 32 * FS


@pytest.mark.parametrize("disturbance", ["spikes", "gap", "open lead"])
def test_fibrillation_continues_through_a_bad_signal(disturbance: str) -> None:
    bad = {"spikes": noise(20), "gap": np.full((20 * FS, 2), np.nan), "open lead": np.zeros((20 * FS, 2))}[disturbance]
    decisions = run(np.concatenate([beats(10), fibrillating(15), bad, fibrillating(10)]))
    [(_, detected, last)] = episodes(decisions)
    assert detected < 15 * FS
    assert last == decisions[-1].at


def test_fibrillation_ends_a_minute_after_the_last_sign_of_it() -> None:
    seconds = MAX_WITHOUT_EVIDENCE / FS
    mv = np.concatenate([beats(10), fibrillating(15), np.full((round((seconds + 10) * FS), 2), np.nan)])
    [(_, _, last)] = episodes(run(mv))
    assert abs(last - (25 * FS + MAX_WITHOUT_EVIDENCE)) < 3 * FS


def test_fibrillation_ends_in_an_asystole() -> None:
    rng = np.random.default_rng(0)
    mv = np.concatenate([beats(10), fibrillating(15), rng.normal(0, 0.005, (15 * FS, 2))])
    [(_, _, last)] = episodes(run(mv))
    assert 26.5 * FS < last < 30 * FS


@pytest.mark.parametrize(("scale", "longest"), [(0.13, 40.0), (0.02, 30.0)])
def test_fibrillation_that_becomes_fine_is_one_episode_until_it_is_an_asystole(scale: float, longest: float) -> None:
    """Of 1 mV peak to peak first, then of 0.13 or of 0.02 mV."""
    mv = np.concatenate([beats(10), fibrillating(15), scale * fibrillating(15)])
    [(_, _, last)] = episodes(run(mv))
    assert longest - 3.5 < last / FS <= longest


def test_a_fine_wave_alone_is_not_fibrillation() -> None:
    assert not episodes(run(0.13 * fibrillating(20)))


@pytest.mark.parametrize("level", [0.0, 0.005, 0.02, 0.3])
def test_neither_a_flat_signal_nor_white_noise_is_detected(level: float) -> None:
    assert not episodes(run(np.random.default_rng(0).normal(0, level, (20 * FS, 2))))


def test_beds_that_step_together_have_the_decisions_of_beds_alone() -> None:
    signals = [np.concatenate([beats(6), fibrillating(8), beats(10)]), broad_beats(24), fibrillating(24)]
    slots, leads, size = np.array([3, 0, 5]), 2, 7
    states = [(blocks.begin(leads), fibrillation_waveform.begin(leads), ventricular_fibrillation.begin(0, leads))] * 3
    columns, untouched = (joined([Stages(*own) for own in states], slots.tolist(), size) for _ in range(2))
    found = [
        beat_detector.step(load_classifier(), beat_detector.begin(0, leads), strides_of(mv, 0))[0] for mv in signals
    ]
    decided: list[list[tuple[int, bool]]] = [[], [], []]
    for first, stop in itertools.pairwise([0, 1, 7, 8, 9, 60, 61, 240]):
        batch = batch_of([cut(strides_of(mv, 0), first * STRIDE, stop * STRIDE) for mv in signals], slots.tolist())
        reported = [[beat for beat in own if first * STRIDE <= beat.at < stop * STRIDE] for own in found]
        whole = blocks.advance(columns.blocks, batch)
        waveform = fibrillation_waveform.advance(columns.waveform, whole, slots)
        rows = ventricular_fibrillation.advance(columns.fibrillation, slots, whole, waveform, to_rows(reported))
        for bed, count in enumerate(whole.count):
            decided[bed] += zip(rows.since[bed, :count].tolist(), rows.suspected[bed, :count].tolist(), strict=True)
    for mv, together in zip(signals, decided, strict=True):
        assert together == [(-1 if now.since is None else now.since, now.suspected) for now in run(mv)]
    assert any(since >= 0 for since, _ in decided[0])
    for slot in (1, 2, 4, 6):
        assert_equal(taken(columns, slot), taken(untouched, slot))


class Stages(NamedTuple):
    blocks: BlocksState
    waveform: WaveformState
    fibrillation: FibrillationState


def test_the_six_flutter_episodes_of_record_207(mitdb_dir: Path) -> None:
    """Each is detected within 10 s, and nothing else in the half hour."""
    from stream.records.wfdb_reader import read

    record = read(mitdb_dir / "mitdb" / "207", name="207", source="")
    annotations = record.annotations
    assert annotations is not None
    onsets = [int(s) for s, symbol in zip(annotations.sample, annotations.symbol, strict=True) if symbol == "["]
    ends = [int(s) for s, symbol in zip(annotations.sample, annotations.symbol, strict=True) if symbol == "]"]
    detected_episodes = episodes(run(record.mv()))
    assert len(onsets) == 6
    for onset in onsets:
        assert any(detected <= onset + 10 * FS and last >= onset for _, detected, last in detected_episodes)
    for since, _, last in detected_episodes:
        assert any(since < end + 2 * FS and last >= onset for onset, end in zip(onsets, ends, strict=True))
