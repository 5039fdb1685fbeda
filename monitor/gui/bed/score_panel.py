"""The live score of a bed, as `bedside score` publishes it: four lines for engineers, a table for instructors."""

from __future__ import annotations

from monitor.gui.bed.value_rows import Row, ValueRows
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme
from monitor.view.replay_status import clock
from monitor.view.score_texts import alarms_text, beats_text, delay_text, score_rows, time_text
from stream.wire.score_message import Score


class ScorePanel(ValueRows):
    """Beats, rhythms and false alarms since the start, in four lines."""

    def show_score(self, score: Score | None) -> None:
        """Show a score; without one the panel has no lines."""
        if score is None:
            self.show_rows(())
            return
        part = score.cumulative
        by_time = f"{time_text(part, 'af')} · {time_text(part, 'vt')}"
        done = translate("Score", "complete") if score.complete else f"{score.seconds:.0f} s"
        self.show_rows(
            (
                (translate("Score", "QRS, Se / PPV %, {done}").format(done=done), beats_text(part.qrs)),
                (translate("Score", "VEB · SVEB"), f"{beats_text(part.veb)} · {beats_text(part.sveb)}"),
                (translate("Score", "AF · VT, Se / Sp"), by_time),
                (translate("Score", "false alarms per h · delay"), f"{alarms_text(part)} · {delay_text(part)}"),
            )
        )


class ScoreTable(ValueRows):
    """A line for each kind of beat and rhythm that was there or reported: since the start, and in the last minutes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, lines=5, table=True)

    def show_score(self, score: Score | None) -> None:
        """Show a score; without one say how to have one."""
        if score is None:
            how = translate("Score", "none: start bedside score"), translate("Score", "a record needs --annotations")
            self.show_rows(tuple((line,) for line in how))
            return
        names = {
            "qrs": translate("Score", "QRS"),
            "veb": translate("Score", "VEB"),
            "sveb": translate("Score", "SVEB"),
            "vf": translate("Score", "VF"),
            "vt": translate("Score", "VT"),
            "either": translate("Score", "VF or VT"),
            "asystole": translate("Score", "asystole"),
            "af": translate("Score", "AF"),
        }
        done = translate("Score", "complete") if score.complete else f"{score.seconds:.0f} s"
        heading = (
            translate("Score", "% Se / PPV, Sp"),
            done,
            translate("Score", "last {minutes} min").format(minutes=f"{score.running_s / 60:.0f}"),
            translate("Score", "found"),
            translate("Score", "delay"),
        )
        rows = tuple(
            (names[row.name], row.whole, row.recent, f"{row.found} / {row.count}", row.delay)
            for row in score_rows(score)
            if row.counted
        )
        whole, last = score.cumulative, score.running
        alarms = (translate("Score", "false alarms per h"), alarms_text(whole), alarms_text(last), "", "")
        later: tuple[Row, ...] = ()
        if score.seconds < score.scored_from_s:
            since = translate("Score", "beats and AF from {time} on").format(time=clock(int(score.scored_from_s)))
            later = ((since,),)
        self.show_rows((heading, *rows, alarms, *later))
