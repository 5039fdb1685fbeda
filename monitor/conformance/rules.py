"""The rules of docs/topics.md that can be seen on a broker, each with the section that states it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes
    ----------
    name : str
    section : str
        Heading in docs/topics.md.
    expected : str
        What the rule asks for, where a finding says nothing more exact.
    violation : bool
        False: a remark. It may be the fault of the network, or of an older sender.
    """

    name: str
    section: str
    expected: str
    violation: bool = True


TABLE, TIME, DELIVERY, ALARMS = "Topics and messages", "Time", "Delivery", "Alarms"

TOPIC = Rule("topic", TABLE, "one of the topics of the table")
QOS = Rule("qos", TABLE, "the QoS of the table")
RETAIN = Rule("retain", TABLE, "retained as in the table")
OLD = Rule("retained", "Order", "no retained message on a topic that retains none")
SIZE = Rule("size", DELIVERY, "a payload within the limit of its topic")
EMPTY = Rule("empty", DELIVERY, "a payload: only a retained message is removed by an empty one")
FORMAT = Rule("format", TABLE, "JSON, or MessagePack for samples")
SCHEMA = Rule("schema", TABLE, "the schema of asyncapi.yaml")
CONTENT = Rule("content", TABLE, "values that belong together, and the bed of the topic")
WHEN = Rule("when", TABLE, "a time in UTC, RFC 3339, such as 2026-01-31T12:00:00.000Z")

BEGIN = Rule("begin", TIME, "seq 0 and start 0 in the first chunk of a session")
SEQ = Rule("seq", TIME, "a seq that grows by 1 with each chunk")
DUPLICATE = Rule("duplicate", TIME, "each chunk once", violation=False)
START = Rule("start", TIME, "a start where the chunk before has ended")
GAP = Rule("gap", TIME, "no chunk missing", violation=False)
EPOCH = Rule("epoch", TIME, "a new epoch, one more than the last, at each break of continuity, and only there")
EPOCH_START = Rule("epoch_start", TIME, "the first sample of the epoch")
DEADLINE = Rule("t0_ns", TIME, "deadlines that follow from the first, but for a start, resume, seek or change of speed")
EARLY = Rule("early", TIME, "a chunk when its last sample is due, not before")
LATE = Rule("late", TIME, "a chunk within the buffers of 60 s after its last sample is due; clocks that agree")
DELAYED = Rule("delayed", TIME, "a chunk within 2 s after its last sample is due", violation=False)
WAVE_START = Rule("wave start", TIME, "a start where the chunk before has ended, within half a sample")
WAVE_ORDER = Rule("wave order", TIME, "a chunk of a wave just before the ECG of the same interval")
WAVE_PLACE = Rule("wave place", TIME, "seq, epoch, epoch_start, record and speed of the ECG of the same interval")
WAVE_INTERVAL = Rule("wave interval", TIME, "the samples of the interval of its ECG")
WAVE_DEADLINE = Rule("wave t0_ns", TIME, "the time and position at which its ECG has this sample")
ANNOTATION = Rule("annotation", TABLE, "an annotation of the session, after the chunk that contains its sample")

WRITER = Rule("writer", "One writer per bed", "one session at a time")
SILENT = Rule("silent", DELIVERY, "ECG at least every 5 s, or 2.5 chunks, while the publisher says that it plays")
OWNER = Rule("owner", "Strangers", "one process that publishes a retained topic")
HEARTBEAT = Rule("heartbeat", DELIVERY, "a status every 2 s")
INSTANCE = Rule("instance", DELIVERY, "the status of a process that is online, for each status of a bed")
STATE = Rule("state", DELIVERY, "a state of its role, and the session that is sent")
ENDED = Rule("ended", DELIVERY, "no chunk after the status ended")

PLACES = Rule("places", "Strangers", "no more beds than this process keeps", violation=False)

AHEAD = Rule("ahead", TIME, "results of samples that have been sent")
SESSION = Rule("session", "One writer per bed", "the session of the ECG")
FORECAST = Rule(
    "forecast", "Reading messages", "session, epoch, first two leads and a sample of the chunk that completed it"
)
STRIDE = Rule("stride", "Reading messages", "a forecast at the end of each 100 ms, in ascending order")
BEAT = Rule("beat", TABLE, "beats in ascending order, each once")
VITALS = Rule("vitals", TABLE, "vital signs once per second of signal")
NUMERICS = Rule("numerics", "Numerics", "session and epoch of the ECG, and at most one message per second of signal")
OUTLOOK = Rule("outlook", "Outlook", "an outlook once for each hour of the record")
LEASE = Rule("lease", "One worker per bed", "no output under an older lease than that of the bed")
NO_LEASE = Rule("no lease", "One worker per bed", "a lease above 0; 0 is that of older senders", violation=False)

ALARM_ID = Rule("alarm id", ALARMS, "event_id {alarm_id}-{phase}, and alarm_id {session}-{kind}-{onset}")
EVENT = Rule("event", ALARMS, "one content for each event_id, however often it is sent")
PHASE = Rule("phase", ALARMS, "raised, then cleared, each once; acknowledged in between or after")
ALARM_FIELDS = Rule("alarm fields", ALARMS, "end, latched, reason and names as the phase and the priority demand")
LIST = Rule("list", ALARMS, "in alarms/active each active or latched alarm, one of a kind, and no advisory")
COMMAND = Rule("command", "Commands", "a command within 10 s of its time, under an id of its own")
NOTHING = Rule("nothing", TABLE, "messages below bedside/v1/")
