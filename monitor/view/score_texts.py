"""Numbers of the live score as short texts; two dashes where there is nothing to count."""

from __future__ import annotations

from dataclasses import dataclass

from stream.wire.score_message import BeatTally, RhythmScore, Score, ScoredRhythm, ScorePart

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


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A kind of beat or a rhythm in a table.

    Attributes
    ----------
    name : str
        ``qrs``, ``veb``, ``sveb``, or a `ScoredRhythm`.
    whole, recent : str
        Sensitivity and positive predictive value, of rhythms by time specificity: since the start, and at the end.
    found, count : int
        Beats or episodes since the start.
    counted : bool
        Whether there was any, or any was reported.
    delay : str
        Median delay of the alarm, of rhythms.
    """

    name: str
    whole: str
    recent: str
    found: int
    count: int
    counted: bool
    delay: str = ""


def score_rows(score: Score) -> tuple[ScoreRow, ...]:
    """Return the rows of a table of a score."""
    whole, last = score.cumulative, score.running
    beats = {"qrs": (whole.qrs, last.qrs), "veb": (whole.veb, last.veb), "sveb": (whole.sveb, last.sveb)}
    rows = [
        ScoreRow(
            name,
            beats_text(tally),
            beats_text(recent),
            tally.found,
            tally.found + tally.missed,
            counted=tally != BeatTally(),
        )
        for name, (tally, recent) in beats.items()
    ]
    recent_rhythms = {row.name: row for row in last.rhythms}
    for row in whole.rhythms:
        recent_row = recent_rhythms.get(row.name, row)
        delay = NO_VALUE if row.delay_s_median is None else f"{row.delay_s_median:.1f} s"
        rows.append(
            ScoreRow(
                row.name,
                rhythm_text(row),
                rhythm_text(recent_row),
                row.found,
                row.episodes,
                counted=bool(row.episodes or row.true_s or row.missed_s or row.false_s),
                delay=delay,
            )
        )
    return tuple(rows)
