"""The live score of a bed, for engineers: what `bedside score` publishes."""

from __future__ import annotations

from monitor.gui.bed.numerics import ValueRows
from monitor.gui.style.language import translate
from monitor.view.score_texts import alarms_text, beats_text, delay_text, time_text
from stream.wire.score_message import Score


class ScorePanel(ValueRows):
    """Beats, rhythms and false alarms since the begin, in four lines."""

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
