"""A flat line is an electrode, or asystole: one scenario, as a worker sees it; the others: ``make scenarios``."""

from __future__ import annotations

from model.pipeline.analysis import Models
from tests.scenarios.watched import alarms_of, problems, sent_by

UNTIL_S = 215.0


def test_a_flat_line_is_an_electrode_or_asystole(models: Models) -> None:
    alarms = alarms_of(models, sent_by("lead-off-or-asystole", until_s=UNTIL_S))
    assert not problems("lead-off-or-asystole", alarms, UNTIL_S)
    assert [one.kind for one in alarms if one.priority == "high"][-1] == "asystole"
