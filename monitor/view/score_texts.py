"""Numbers of the live score as short texts; two dashes where there is nothing to count."""

from __future__ import annotations

from stream.wire.score_message import BeatTally, RhythmScore, ScoredRhythm, ScorePart

NO_VALUE = "--"


def percent(part: int, rest: int, decimals: int = 1) -> str:
    """Return a share in percent."""
    return f"{100 * part / (part + rest):.{decimals}f}" if part + rest else NO_VALUE


def beats_text(tally: BeatTally) -> str:
    """Return sensitivity and positive predictive value."""
    return f"{percent(tally.found, tally.missed)} / {percent(tally.found, tally.false)}"


def rhythm_text(row: RhythmScore) -> str:
    """Return sensitivity and specificity by time."""
    return f"{percent(row.true_s, row.missed_s)} / {percent(row.other_s, row.false_s)}"


def time_text(part: ScorePart, name: ScoredRhythm) -> str:
    """Return sensitivity and specificity by time of a rhythm, in whole percent."""
    row = next((row for row in part.rhythms if row.name == name), None)
    if row is None:
        return NO_VALUE
    return f"{percent(row.true_s, row.missed_s, 0)} / {percent(row.other_s, row.false_s, 0)}"


def alarms_text(part: ScorePart) -> str:
    """Return the false alarms of high priority per hour."""
    return f"{part.false_alarms / part.false_hours:.1f}" if part.false_hours else NO_VALUE


def delay_text(part: ScorePart) -> str:
    """Return the longest of the median delays of the rhythms, in s of signal."""
    delays = [row.delay_s_median for row in part.rhythms if row.delay_s_median is not None]
    return f"{max(delays):.1f} s" if delays else NO_VALUE
