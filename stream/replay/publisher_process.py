"""The publisher process: connection to the broker, commands, shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from stream.clock import Clock
from stream.errors import BedsideError, UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Watch, watch_nothing
from stream.records.episodes import Episode, counts, named
from stream.records.library import Library, LoadedRecords
from stream.records.synthetic.live_record import LiveRecord
from stream.replay import bed_claims
from stream.replay.bed_output import LEDGER
from stream.replay.descriptions import description
from stream.replay.ledger import ledger
from stream.replay.load_report import INTERVAL_S, LoadReport
from stream.replay.next_episodes import NextEpisodes
from stream.replay.playhead import AnyRecord, ReplayConfig, begin, check_speed, first_sample
from stream.replay.publisher import Publisher
from stream.replay.scenario_episodes import NO_EPISODES, Episodes
from stream.scenario.scenario import Scenario
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm, Command
from stream.wire.alarm_texts import Language
from stream.wire.detail import IN_FULL
from stream.wire.replay_actions import ChooseRecord, Inject, ShowEpisode
from stream.wire.status_messages import RhythmOffer
from stream.wire.topics import Kind, Role, Topic, pattern

log = logging.getLogger("bedside.publisher")

RESUME_DELAY_S = 2.0
"""Delay after a reconnect before queued chunks are sent, so that the subscribers of a restarted broker can subscribe
again."""

FLUSH_TIMEOUT_S = 0.5
"""Maximum wait for the acknowledgement of the last messages at shutdown."""


async def serve(
    address: BrokerAddress,
    replays: Sequence[tuple[AnyRecord, ReplayConfig]],
    *,
    library: Library | LoadedRecords,
    ledger_path: Path | None,
    clock: Clock,
    annotations: bool = False,
    scenario: Scenario | None = None,
    episodes: Episodes = NO_EPISODES,
    language: Language = "en",
    injections: Sequence[tuple[str, Inject]] = (),
    all_in_full: bool = False,
    watch: Watch = watch_nothing,
    report: LoadReport | None = None,
) -> None:
    """Publish records and execute commands until the records end or the task is cancelled.

    Parameters
    ----------
    address : BrokerAddress
    replays : sequence of (Record or LiveRecord, ReplayConfig)
    library : Library or LoadedRecords
        Records that can be selected by command.
    ledger_path : Path or None
    clock : Clock
    annotations : bool
        Also send the reference annotations.
    scenario : Scenario, optional
        What happens to the beds, which are its own, in its order.
    episodes : mapping
        Those that it shows, see `stream.replay.scenario_episodes.episodes_of`.
    language : str
        Of its texts.
    injections : sequence of (str, Inject)
        Beds and what is injected into them from the start.
    all_in_full : bool
        Send each bed on its own topics, however many there are; see `stream.wire.detail`.
    watch : callable
        Called with the client; see `stream.mqtt.metrics`.
    report : LoadReport, optional
        Logged once per second.

    Raises
    ------
    UsageError
        A record is shorter than the start position of its replay, its speed is too high for its ECG, or another
        publisher sends its bed.
    BrokerError
        The broker cannot be reached.
    StorageError
        The ledger cannot be written.
    """
    for record, config in replays:
        first_sample(record, config)
        check_speed(record, config.speed)
    beds = tuple(config.bed for _, config in replays)
    in_shards = len(beds) > IN_FULL and not all_in_full
    # With those of the claims: its own retained topics, which the client restores when another client overwrites them.
    own = [pattern(kind, bed) for kind in (Kind.COMMAND, Kind.NUMERICS) for bed in beds]
    awaited = beds if scenario is not None and scenario.waits_for_alarms else ()
    alarms = [pattern(Kind.ALARMS, bed) for bed in awaited]
    subscriptions = [*own, *alarms, *bed_claims.subscriptions(beds)]
    with ledger(ledger_path, *LEDGER) as write:
        client = Client(
            address,
            role=Role.PUBLISHER,
            subscriptions=subscriptions,
            resume_delay_s=RESUME_DELAY_S,
            paced=True,
            places=len(beds),  # it subscribes to topics of these only
        )
        client.beds = beds
        watch(client)
        async with client:
            await bed_claims.check_free(client)
            begin_ns = clock.now_ns()
            publisher = Publisher(
                [begin(record, config, begin_ns) for record, config in replays],
                send=client.send,
                remove=client.remove,
                dropped=client.dropped_of_ward if in_shards else lambda bed: client.dropped(Topic(Kind.ECG, bed)),
                instance=client.instance,
                clock=clock,
                write=write,
                annotations=annotations,
                in_shards=in_shards,
                scenario=scenario,
                episodes=episodes,
                language=language,
            )
            for name, action in injections:
                publisher.actions.perform(name, action, "replay")
            log.info("streaming to %s; Ctrl-C ends it", address)
            if report is None:
                for bed in publisher.beds.values():
                    log.info("%s", description(bed.head))
            await _run(client, publisher, library, report)


async def _run(
    client: Client, publisher: Publisher, library: Library | LoadedRecords, report: LoadReport | None
) -> None:
    """Publish all chunks, wait for their acknowledgements, and log a summary."""
    executing = asyncio.create_task(_execute_commands(client, publisher, library))
    playing = asyncio.create_task(publisher.run())
    reporting = asyncio.create_task(_report(client, report))
    try:
        await asyncio.wait({executing, playing}, return_when=asyncio.FIRST_COMPLETED)
        if executing.done():
            await executing
        await playing
        if not await client.flush(FLUSH_TIMEOUT_S):
            log.info("waiting for the broker to accept the last chunks; Ctrl-C gives up")
            while not await client.flush(FLUSH_TIMEOUT_S):
                pass
    finally:
        for task in (executing, playing, reporting):
            task.cancel()
        await asyncio.gather(executing, playing, reporting, return_exceptions=True)
        publisher.stop()
        await client.flush(FLUSH_TIMEOUT_S)
        log.info("%s; reconnects: %d", publisher.summary(), client.counters["reconnects"])


async def _report(client: Client, report: LoadReport | None) -> None:
    """Log what is sent, until cancelled."""
    if report is None:
        return
    report.begin(client)
    while True:
        await asyncio.sleep(INTERVAL_S)
        log.info("%s", report.update(client))


async def _execute_commands(client: Client, publisher: Publisher, library: Library | LoadedRecords) -> None:
    """Execute received commands; count and log refused ones. Records are loaded in a thread."""
    following = NextEpisodes(library, await _episodes(library))
    client.counters["commands_refused"] = 0
    offering = asyncio.create_task(_offer(publisher, library, following))
    try:
        async for received in client:
            command = received.message
            if isinstance(command, Alarm):
                publisher.commands.observe_alarm(command)
            if not isinstance(command, Command):
                continue
            not_listed = await offering if offering.done() or isinstance(command.action, ChooseRecord) else ""
            try:
                await _execute(publisher, library, following, command, not_listed)
            except (BedsideError, ModuleNotFoundError) as error:
                client.counters["commands_refused"] += 1
                log.warning("command refused: %s", _in_words(error))
                publisher.commands.refuse(command, _in_words(error))
    finally:
        offering.cancel()
        await asyncio.gather(offering, return_exceptions=True)


async def _execute(
    publisher: Publisher,
    library: Library | LoadedRecords,
    following: NextEpisodes,
    command: Command,
    not_listed: str,
) -> None:
    """Execute a command; the error says why it cannot be. ``not_listed``: why records are missing in the offers."""
    if isinstance(command.action, ChooseRecord):
        name = command.action.record
        if all(offer.name != name for offer in publisher.statuses.offers):
            raise UsageError(f"record {name!r} is not offered" + (f": {not_listed}" if not_listed else ""))
        publisher.commands.accept(command)
        publisher.actions.choose_record(command.bed, await asyncio.to_thread(library.load, name))
        publisher.commands.complete(command)
    elif isinstance(command.action, ShowEpisode):
        await _show_episode(publisher, library, command, command.action, following)
    else:
        publisher.commands.execute(command)


async def _show_episode(
    publisher: Publisher,
    library: Library | LoadedRecords,
    command: Command,
    action: ShowEpisode,
    following: NextEpisodes,
) -> None:
    """Find the episode of a command, load its record unless the bed has it, show it, and prepare for the next one."""
    publisher.commands.accept(command)
    if action.record is None or action.start_s is None or action.end_s is None:
        episode = following.choose(command.bed, action.rhythm or "")
    else:
        if not library.has(action.record):
            raise UsageError(f"record {action.record!r} is not on disk; 'bedside data list' shows what is")
        episode = named(following.episodes, action.record, action.start_s, action.end_s, action.rhythm)
    record = publisher.beds[command.bed].head.record
    if record.name != episode.record or record.n < round(episode.end_s * FS):  # a scenario has the start of a record
        record = await following.load(episode.record)
    if isinstance(record, LiveRecord):
        raise UsageError(f"{record.name} is a live patient, which has no episodes")
    publisher.actions.show_episode(command.bed, record, episode, action.after)
    publisher.commands.complete(command)
    if action.record is None:
        following.note_shown(command.bed, episode.rhythm)
        await following.load_ahead(command.bed)


async def _episodes(library: Library | LoadedRecords) -> tuple[Episode, ...]:
    """Return the episodes at hand; none if the folders of the records cannot be read."""
    try:
        return await asyncio.to_thread(library.episodes)
    except OSError as error:
        log.warning("episodes cannot be listed: %s", _in_words(error))
        return ()


async def _offer(publisher: Publisher, library: Library | LoadedRecords, following: NextEpisodes) -> str:
    """Offer rhythms and records; return what prevents it, empty if nothing does. The replay goes on in any case."""
    problem = ""
    for offer in (_offer_rhythms, _offer_records):
        try:
            await offer(publisher, library, following)
        except (BedsideError, ModuleNotFoundError, OSError) as error:
            if _in_words(error) != problem:
                problem = _in_words(error)
                log.warning("records cannot be listed: %s", problem)
    return problem


async def _offer_rhythms(publisher: Publisher, _: Library | LoadedRecords, following: NextEpisodes) -> None:
    """Offer rhythms, once their next records are loaded if a bed can show them."""
    records = [bed.head.record for bed in publisher.beds.values()]
    if not all(isinstance(record, LiveRecord) or record.alone for record in records):
        await following.load_ahead(next(iter(publisher.beds)))
    found = counts(following.episodes)
    publisher.statuses.rhythms = tuple(RhythmOffer(rhythm=name, episodes=n) for name, n in found.items())


async def _offer_records(publisher: Publisher, library: Library | LoadedRecords, _: NextEpisodes) -> None:
    """Offer the records that need no download. Each is read in a thread, so that shutdown waits for one at most."""
    listing, offers = library.listing(), []
    try:
        while (entry := await asyncio.to_thread(next, listing, None)) is not None:
            if entry[1] is not None:
                offers.append(entry[1])
    finally:
        publisher.statuses.offers = tuple(offers)  # also those before one that cannot be read


def _in_words(error: Exception) -> str:
    """Return an error as one line; libraries that may be missing here are those that read records."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed; run: pip install 'bedside[records]'"
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.strerror else str(error)
