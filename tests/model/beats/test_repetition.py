"""Repetition of the shapes of beats, with clean beats, new shapes and artefacts."""

from __future__ import annotations

import numpy as np

from model.beats import repetition
from model.beats.beat import KINDS, Beat, to_rows
from model.beats.qrs_detector import Qrs, QrsRows
from model.beats.repetition import Repetition
from model.signal.arrays import FloatArray
from model.signal.intake import strides_of
from stream.timebase import FS, STRIDE
from tests.model.slots import assert_equal, batch_of, cut, joined, taken

RR = FS * 3 // 4


def wave(width: float, height: float) -> FloatArray:
    """Return a biphasic complex of 0.5 s."""
    t = (np.arange(FS // 2) - FS // 4) / width
    return height * (np.exp(-(t**2)) - 0.4 * np.exp(-((t - 2) ** 2)))


def signal(shapes: str, noise: float = 0.0, leads: int = 1) -> FloatArray:
    """Return beats 0.75 s apart: narrow (N), broad and inverted (V), or an artefact (x, each of its own shape)."""
    rng = np.random.default_rng(0)
    mv = rng.normal(0, 0.01, ((len(shapes) + 1) * RR, leads))
    for i, shape in enumerate(shapes):
        middle = (i + 1) * RR
        around = slice(middle - FS // 4, middle + FS // 4)
        if shape == "x":
            steps = np.interp(np.arange(FS // 2), np.arange(0, FS // 2 + 12, 12), rng.normal(0, 0.7, FS // 24 + 1))
            mv[around] += steps[:, None]
        else:
            mv[around] += (wave(6, 1.0) if shape == "N" else wave(18, -1.6))[:, None]
    mv[:, 0] += np.convolve(rng.normal(0, noise, len(mv)), np.ones(12) / 12, "same")
    return mv


def run(shapes: str, mv: FloatArray | None = None) -> Repetition:
    beats = [Beat((i + 1) * RR, (i + 1) * RR + 70, "V" if shape in "Vx" else "N", RR) for i, shape in enumerate(shapes)]
    strides = strides_of(signal(shapes) if mv is None else mv)
    beats = [beat for beat in beats if beat.at < strides.end]
    output, _ = repetition.step(repetition.begin(strides.mv.shape[1]), strides, beats)
    return output


def trusted(shapes: str) -> str:
    beats = [Beat((i + 1) * RR, (i + 1) * RR + 70, "V" if shape in "Vx" else "N", RR) for i, shape in enumerate(shapes)]
    return "".join(KINDS[kind] for kind in repetition.trusted(to_rows([beats]), run(shapes)).kind)


def test_equal_beats_repeat() -> None:
    output = run("N" * 20)
    assert output.mean[0, -1] > 0.95
    assert output.ecg_seen[0, -1]


def test_too_few_beats_say_nothing() -> None:
    output = run("N" * 20)
    assert np.isnan(output.mean[0, : 4 * FS // 36]).all()
    assert not output.ecg_seen[0, : 4 * FS // 36].any()


def test_without_beats_nothing_is_known_after_some_seconds() -> None:
    mv = np.concatenate([signal("N" * 12), np.zeros((10 * FS, 1))])
    output = run("N" * 12, mv)
    assert np.isnan(output.mean[0, -1])
    assert output.ecg_seen[0, -1]


def test_noise_on_the_beats_lowers_the_repetition() -> None:
    means = [run("N" * 20, signal("N" * 20, noise)).mean[0, -1] for noise in (0.0, 0.5, 3.0)]
    assert means[0] > means[1] > means[2]
    assert means[2] < 0.75


def test_a_clean_lead_beside_a_noisy_one_counts() -> None:
    assert run("N" * 20, signal("N" * 20, 3.0, leads=2)).mean[0, -1] > 0.95


def test_artefacts_alone_are_no_ecg() -> None:
    output = run("x" * 20)
    assert output.mean[0, -1] < 0.8
    assert not output.ecg_seen.any()


def test_a_ventricular_tachycardia_after_normal_beats_is_trusted() -> None:
    assert trusted("NNNNNNNNNN" + "VVVVVV") == "NNNNNNNNNN" + "VVVVVV"


def test_a_bigeminy_is_trusted() -> None:
    assert trusted("NNNNNNNN" + "NV" * 6) == "NNNNNNNN" + "NV" * 6


def test_a_run_of_artefacts_has_no_type() -> None:
    assert trusted("NNNNNNNNNN" + "xxxxxx").endswith("QQ")


def test_a_polymorphic_tachycardia_is_trusted_because_it_is_fast() -> None:
    shapes = "NNNNNNNNNN" + "xxxxxx"
    beats = [Beat((i + 1) * RR, (i + 1) * RR + 70, "V", 90 if i > 9 else RR) for i in range(len(shapes))]
    output, _ = repetition.step(repetition.begin(1), strides_of(signal(shapes)), beats)
    assert all(output.trusted[11:])


def missed(height: float, width: float) -> list[int]:
    """Return the missed beats that are found if the complex after ten normal beats has this height and width."""
    mv, r_peak = signal("N" * 12), 11 * RR
    mv[r_peak - FS // 4 : r_peak + FS // 4] = wave(width, height)[:, None]
    beats = [Beat((i + 1) * RR, (i + 1) * RR + 70, "N", RR) for i in range(12) if i != 10]
    output, _ = repetition.step(repetition.begin(1), strides_of(mv), beats, [Qrs(r_peak, r_peak + 60, 0.6)])
    return output.missed[output.missed >= 0].tolist()


def test_a_low_complex_of_the_shape_of_a_beat_is_a_missed_beat() -> None:
    assert missed(0.3, 6) == [11 * RR]


def test_a_low_complex_of_another_shape_is_none() -> None:
    assert missed(0.3, 24) == []
    assert missed(-0.3, 6) == []


def test_a_complex_no_higher_than_a_p_wave_is_none() -> None:
    assert missed(0.1, 6) == []


def test_several_beds_give_what_each_gives_alone() -> None:
    shapes = ("NNNNNNNNNNxxxxNN", "NVNVNVNVNVNVNVNV", "xNxNNNNNNNVVVVNN")
    slots, size, beds = [2, 5, 0], 7, [strides_of(signal(shape, leads=2)) for shape in shapes]
    beats = [
        [Beat((i + 1) * RR, (i + 1) * RR + 70, "V" if kind in "Vx" else "N", RR) for i, kind in enumerate(shape)]
        for shape in shapes
    ]
    states = [repetition.begin(2) for _ in shapes]
    columns, untouched = (joined(states, slots, size) for _ in range(2))
    found = 0
    for first, stop in ((0, 9), (9, 10), (10, 64), (64, 67), (67, 127)):
        now = [cut(bed, first * STRIDE, stop * STRIDE) for bed in beds]
        reported = [
            [beat for beat in own if strides.start <= beat.at < strides.end]
            for own, strides in zip(beats, now, strict=True)
        ]
        rows = to_rows(reported)
        weak = [[Qrs(beat.index, beat.at - 20, 0.7) for beat in own[::3]] for own in reported]
        flat = [complex_ for own in weak for complex_ in own]
        weak_rows = QrsRows(
            np.cumsum([0, *map(len, weak)]),
            np.array([complex_.index for complex_ in flat], np.int64),
            np.array([complex_.at for complex_ in flat], np.int64),
            np.array([complex_.strength for complex_ in flat], np.float64),
        )
        together = repetition.advance(columns, batch_of(now, slots), rows, weak_rows)
        for bed, strides in enumerate(now):
            alone, states[bed] = repetition.step(states[bed], strides, reported[bed], weak[bed])
            np.testing.assert_array_equal(together.missed[bed], alone.missed[0])
            found += int((alone.missed >= 0).sum())
            np.testing.assert_array_equal(together.trusted[rows.first[bed] : rows.first[bed + 1]], alone.trusted)
            np.testing.assert_array_equal(together.mean[bed], alone.mean[0])
            np.testing.assert_array_equal(together.ecg_seen[bed], alone.ecg_seen[0])
            assert_equal(taken(columns, slots[bed]), states[bed])
    assert columns.ecg_seen[slots].any()
    assert found > 3
    for slot in set(range(size)) - set(slots):
        assert_equal(taken(columns, slot), taken(untouched, slot))
