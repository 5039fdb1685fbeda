"""The real episodes that the steps of a scenario show: found and loaded before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.errors import UsageError
from stream.records.episodes import Episode, choose, named
from stream.records.library import Library, LoadedRecords
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import AnyRecord
from stream.replay.visit import visit
from stream.scenario.description import in_words
from stream.scenario.scenario import Place, Scenario

Episodes = Mapping[tuple[str, int], tuple[Record, Episode]]
"""What the steps show, by bed and number of the step at it."""

NO_EPISODES: Episodes = {}


def episodes_of(
    scenario: Scenario, records: Sequence[tuple[AnyRecord, float]], library: Library | LoadedRecords
) -> Episodes:
    """Return the episodes that the steps show, with their records, which are loaded completely.

    Parameters
    ----------
    scenario : Scenario
    records : sequence of (Record or LiveRecord, float)
        Those of `stream.replay.scenario_records.first_records`.
    library : Library or LoadedRecords

    Raises
    ------
    UsageError
        There is none on disk, it lies beyond the end of its record, or its record or the bed has no ECG.
    RecordError, SourceError
        A record cannot be loaded.
    """
    found: dict[tuple[str, int], tuple[Record, Episode]] = {}
    loaded: dict[str, AnyRecord] = {}
    for bed, (before, _) in zip(scenario.beds, records, strict=True):
        for number, step in enumerate(scenario.steps_of(bed.name)):
            if step.episode is None:
                continue
            try:
                episode = _episode(step.episode, library.episodes())
                if episode.record not in loaded:
                    loaded[episode.record] = library.load(episode.record)
                record = loaded[episode.record]
                if isinstance(record, LiveRecord) or record.alone or before.alone:
                    raise UsageError(f"{before.name if before.alone else record.name} is no record with ECG")
                visit(episode, record, None, 0)
            except UsageError as error:
                raise UsageError(f"scenario {scenario.name}, bed {bed.name}, {in_words(step)}: {error}") from None
            found[bed.name, number] = record, episode
    return found


def _episode(wanted: str | Place, known: Sequence[Episode]) -> Episode:
    if isinstance(wanted, str):
        return choose(known, wanted)
    return named(known, wanted.record, wanted.start_s, wanted.end_s, wanted.rhythm)
