"""What commands, scenarios and clock steps do to a playhead: each returns another one."""

from __future__ import annotations

from msgspec.structs import replace

from stream.errors import UsageError
from stream.records.episodes import Episode
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import AnyRecord, Playhead, check_speed
from stream.replay.visit import visit
from stream.wire.replay_actions import After, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed


def execute(head: Playhead, action: ReplayAction, now_ns: int) -> Playhead:
    """Return the playhead after an action; for `ChooseRecord` see `choose_record`.

    Pause and speed keep continuity: the next chunk gets a new due time. A seek begins a new epoch.

    Raises
    ------
    UsageError
        The seek position lies beyond the end of the record, the patient is live, or the speed is too high for it.
    """
    match action:
        case SetPlaying(playing=playing) if playing != head.playing:
            return replace(head, playing=playing, anchor=head.start, anchor_ns=now_ns)
        case SetSpeed(speed=speed) if speed != head.speed:
            check_speed(head.record, speed)
            return replace(head, speed=speed, anchor=head.start, anchor_ns=now_ns)
        case SetLoop(loop=True) if isinstance(head.record, LiveRecord):
            raise UsageError(f"no loop: {head.record.name} is made while it is replayed")
        case SetLoop(loop=loop):
            return replace(head, loop=loop)
        case Seek() if isinstance(head.record, LiveRecord):
            raise UsageError(f"cannot seek: {head.record.name} is made while it is replayed")
        case Seek(position=position):
            if position >= head.record.n:
                raise UsageError(f"cannot seek to sample {position}: record {head.record.name} has {head.record.n}")
            return head.jump(head.record, position, now_ns)
    return head


def shift_deadlines(head: Playhead, by_ns: int) -> Playhead:
    """Shift all future deadlines, after a clock step."""
    return replace(head, anchor_ns=head.anchor_ns + by_ns)


def choose_record(head: Playhead, record: AnyRecord, now_ns: int) -> Playhead:
    """Continue with another record from its first sample, in a new epoch.

    Raises
    ------
    UsageError
        One of the two has ECG, and the other has numerics alone: that is another kind of bed.
    """
    if record.alone != head.record.alone:
        has, other = ("no ECG", "some") if record.alone else ("ECG", "none")
        raise UsageError(
            f"record {record.name} has {has}, and bed {head.bed} with {head.record.name} has {other}: "
            "end this replay and start another"
        )
    return head.jump(record, 0, now_ns)


def show(head: Playhead, record: Record, episode: Episode, after: After, now_ns: int) -> Playhead:
    """Enter an episode, in a new epoch.

    Parameters
    ----------
    head : Playhead
    record : Record
        That of the episode.
    episode : Episode
    after : str
        ``return`` to where the replay is now, or was before another episode, or ``go_on`` in this record.
    now_ns : int
        Unix time in ns.

    Raises
    ------
    UsageError
        The patient is live, the bed has no ECG or the record none, or it ends before the episode.
    """
    back, position = head.record, head.fast_until or head.position
    if head.visit is not None and head.visit.back is not None:
        back, position = head.visit.back, head.visit.position
    if isinstance(back, LiveRecord):
        raise UsageError(f"bed {head.bed} has a live patient, {back.name}: set its rhythm instead")
    if record.alone or head.record.alone:
        raise UsageError(f"bed {head.bed}: {record.name if record.alone else head.record.name} has no ECG")
    shown = visit(episode, record, back if after == "return" else None, position)
    return replace(head.jump(record, shown.begins, now_ns, shown.first), visit=shown)
