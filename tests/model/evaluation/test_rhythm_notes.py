"""A rhythm lasts until the next note with a bracket, or until the end of the record."""

import numpy as np

from model.evaluation.rhythm_notes import FIBRILLATION, RhythmNote, intervals_of, rhythm_notes
from stream.records.record import Annotations


def test_rhythms_last_until_the_next_one() -> None:
    aux = ("(N", "", "MISSB", "(VF ", "(VFL", "(N")
    notes = rhythm_notes(Annotations(np.array([10, 20, 30, 40, 60, 90]), ("+",) * 6, aux), 80)
    assert notes == (RhythmNote("N", 10, 40), RhythmNote("VF", 40, 60), RhythmNote("VFL", 60, 80))
    assert intervals_of(notes, FIBRILLATION) == ((40, 80),)
    assert rhythm_notes(Annotations(np.array([10]), ("N",), ("",)), 80) == ()
