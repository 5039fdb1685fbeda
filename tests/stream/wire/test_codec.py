import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import MessageError
from stream.wire import codec, topics
from stream.wire.alarm_messages import (
    KINDS,
    Acknowledge,
    Action,
    ActiveAlarms,
    Alarm,
    Command,
    EventsRequest,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.detail import SetDetail
from stream.wire.messages import Annotation, Beat, Forecast, Message, Vitals
from stream.wire.replay_actions import (
    ChooseRecord,
    Inject,
    Note,
    Seek,
    SetLoop,
    SetPlaying,
    SetRhythm,
    SetSpeed,
    SetVitals,
    ShowEpisode,
    StopInjection,
)
from stream.wire.score_message import BeatTally, RhythmScore, Score, ScorePart
from stream.wire.status_messages import (
    BedStatus,
    CommandResult,
    Offer,
    ProcessStatus,
    RhythmOffer,
    RunningInjection,
    ShownEpisode,
)
from stream.wire.topics import OF_WARD, Kind, Role, Topic
from stream.wire.truth_message import Truth
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import MAX_WARD_BYTES
from tests.outlooks import alone, outlook
from tests.stream.wire.ward_forecasts import ward_forecast
from tests.waveforms import SESSION, chunk, numeric, numerics, wave


def forecast(**changes: Any) -> Forecast:
    mean = np.linspace(-1, 1, 96 * 2, dtype="<f4").tobytes()
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "seq": 4,
        "origin": 179,
        "leads": ("MLII", "V1"),
        "offsets": tuple(range(1, 97)),
        "mean": mean,
        "scale": mean,
        "score": None,
        "threshold": 3.0,
        "published_ns": 1,
    }
    return Forecast(**{**fields, **changes})


def alarm(**changes: Any) -> Alarm:
    fields: dict[str, Any] = {
        "event_id": f"{SESSION}-residual-10-raised",
        "alarm_id": f"{SESSION}-residual-10",
        "bed": "bed-1",
        "session": SESSION,
        "record": "mitdb/208",
        "kind": "residual",
        "priority": "low",
        "phase": "raised",
        "onset": 10,
        "end": None,
        "when": "2026-01-31T12:00:00.000Z",
        "text": "Unusual complex",
        "observed": 1.5,
        "predicted": 0.25,
        "score": 3.5,
        "threshold": 3.0,
        "duration_s": 0.5,
    }
    return Alarm(**{**fields, **changes})


def command(action: Action | None = None, **changes: Any) -> Command:
    fields: dict[str, Any] = {
        "command_id": "0" * 31 + "1",
        "bed": "bed-1",
        "who": "nurse 1",
        "when": "2026-01-31T12:00:00.000Z",
        "action": action or Acknowledge(alarm_id=alarm().alarm_id),
    }
    return Command(**{**fields, **changes})


BEAT = Beat(bed="bed-1", session=SESSION, index=400, type="V", rr_ms=620.5, quality=0.9)
ANNOTATION = Annotation(bed="bed-1", session=SESSION, index=400, symbol="+", aux="(AFIB")
VITALS = Vitals(
    bed="bed-1",
    session=SESSION,
    index=719,
    when="2026-01-31T12:00:00.000Z",
    heart_rate=72.5,
    rr_ms=None,
    pvc_per_min=3,
    rhythm="bigeminy",
    quality=0.95,
    score=1.5,
    skill=None,
    inops=("noise",),
)
BED_STATUS = BedStatus(
    bed="bed-1", role="worker", instance="ab12", state="learning", when="", record="mitdb/208", session=SESSION
)
PROCESS = ProcessStatus(role="logger", instance="ab12", state="online", when="", counters={"rejected": 2})
TRUTH = Truth(
    bed="bed-1",
    session=SESSION,
    epoch=0,
    index=21_600,
    when="2026-01-31T12:01:00.000Z",
    truth_id="noise-1",
    what="injection",
    phase="begin",
    name="muscle_noise",
    signal="ecg",
    lead="MLII",
    level=0.0,
    unit="dB",
    values={"seconds": 30.0},
    synthetic=False,
)
RUNNING = RunningInjection(
    injection_id="mains", kind="mains", signal="ecg", lead=None, level=0.2, hz=50.0, begin=360, end=None
)
RESULTS = (CommandResult(command_id=SESSION), CommandResult(command_id=SESSION[::-1], refused="no such lead"))
WARD_BEDS = ("icu-032", "icu-039", "icu-085")
"""Beds of one shard of a ward."""

SCORE_PART = ScorePart(
    qrs=BeatTally(found=400, missed=1, false=2),
    veb=BeatTally(found=3),
    sveb=BeatTally(),
    rhythms=(RhythmScore(name="vt", true_s=9, missed_s=1, episodes=1, found=1, delay_s_median=0.5, delay_s_max=0.5),),
    false_alarms=1,
    false_by_kind={"asystole": 1},
    false_hours=0.1,
)
SCORE = Score(
    bed="bed-1",
    session=SESSION,
    record="mitdb/208",
    epoch=0,
    index=107_999,
    when="2026-01-31T12:00:00.000Z",
    complete=False,
    whole=False,
    style="typed beats",
    seconds=300.0,
    scored_from_s=0.0,
    running_s=300.0,
    cumulative=SCORE_PART,
    running=SCORE_PART,
)

MESSAGES: list[Message] = [
    alone(3, {"nibp_mean": 70.0}),
    outlook(),
    outlook(horizons=(), forecasts=(), risks=(), advisory=False, advisory_risk=None, threshold=None, reasons=()),
    SCORE,
    chunk(3),
    chunk(3, leads=("MLII", "V1"), gain=(200.0, 100.0), zero=(1024, 0)),
    wave(3),
    wave(3, signal="abp", unit="mmHg", fs=62.4725, gain=20.5, zero=-1000),
    wave(3, signal="co2", unit="mmHg"),
    wave(3, signal="resp"),
    numerics(),
    numerics(values=(numeric("st", -0.1, lead="V1", source="measured", quality=0.5),), lease=3),
    forecast(),
    forecast(score=2.5),
    alarm(),
    alarm(phase="cleared", end=80),
    alarm(resent=True),
    EventsRequest(instance="ab12"),
    ActiveAlarms(bed="bed-1", alarms=(alarm(),)),
    ActiveAlarms(bed="bed-1", limits=Limits(off=("residual",)), audio_paused_until="x", commands=(command(),)),
    BEAT,
    VITALS,
    command(),
    command(PauseAudio(seconds=120)),
    command(PauseAlarms(seconds=0)),
    command(SetLimits(limits=Limits(heart_rate_low=40, heart_rate_high=140))),
    command(SetPlaying(playing=False)),
    command(Seek(position=3600)),
    command(SetSpeed(speed=4.0)),
    command(SetLoop(loop=True)),
    command(ChooseRecord(record="mitdb/203")),
    command(ShowEpisode(rhythm="VT")),
    command(Note(text="the student sees it")),
    command(ShowEpisode(record="mitdb/205", start_s=299.0, end_s=301.3, after="go_on")),
    command(SetDetail()),
    command(Inject(injection_id="noise-1", kind="muscle_noise", lead="MLII", level=0.0, seconds=30.0)),
    command(Inject(injection_id="1", kind="disconnect")),
    command(StopInjection(injection_id="noise-1")),
    command(SetVitals(values={"spo2": 82.0, "pvc_rate": 6.0}, seconds=90.0)),
    command(SetRhythm(rhythm="VT", rate=180.0)),
    TRUTH,
    ward_ecg([chunk(3, bed=bed) for bed in WARD_BEDS]),
    ward_forecast([forecast(bed=bed) for bed in WARD_BEDS], (12, 96)),
    ANNOTATION,
    BED_STATUS,
    msgspec.structs.replace(BED_STATUS, records=(Offer(name="mitdb/203", seconds=1805.6, rhythms=("AFIB", "VT")),)),
    msgspec.structs.replace(BED_STATUS, role="publisher", state="playing", injections=(RUNNING,), commands=RESULTS),
    msgspec.structs.replace(
        BED_STATUS,
        role="publisher",
        rhythms=(RhythmOffer(rhythm="VT", episodes=43),),
        episode=ShownEpisode(rhythm="VT", record="mitdb/205", start_s=299.0, end_s=301.3, returns=True),
    ),
    PROCESS,
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_messages_round_trip(message: Message) -> None:
    topic = codec.topic_of(message)
    assert codec.decode(topic, codec.encode(message)) == message
    assert topics.parse(str(topic)) == topic


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_truncated_payloads_are_rejected(message: Message) -> None:
    topic, payload = codec.topic_of(message), codec.encode(message)
    for length in range(1, len(payload), 7):
        with pytest.raises(MessageError):
            codec.decode(topic, payload[:length])


@given(st.sampled_from(MESSAGES), st.binary(min_size=1, max_size=400))
def test_random_bytes_are_rejected(message: Message, payload: bytes) -> None:
    with pytest.raises(MessageError):
        codec.decode(codec.topic_of(message), payload)


@given(st.sampled_from(MESSAGES), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_gives_a_valid_message_or_an_error(message: Message, position: int, value: int) -> None:
    topic, payload = codec.topic_of(message), bytearray(codec.encode(message))
    payload[position % len(payload)] = value
    try:
        decoded = codec.decode(topic, bytes(payload))
    except MessageError:
        return
    assert decoded is not None
    assert codec.topic_of(decoded) == topic


def test_messages_without_samples_are_json() -> None:
    fields = json.loads(codec.encode(alarm()))
    assert fields["kind"] == "residual"
    assert fields["observed"] == 1.5
    assert fields["v"] == 1


def test_oversized_payloads_are_rejected() -> None:
    with pytest.raises(MessageError, match="limit"):
        codec.decode(Topic(Kind.ALARMS, "bed-1"), b" " * (codec.MAX_BYTES + 1))
    for kind in OF_WARD:
        with pytest.raises(MessageError, match="limit of 1048576"):
            codec.decode(Topic(kind, shard=3), b" " * (MAX_WARD_BYTES + 1))


def test_another_bed_than_that_of_the_topic_is_rejected() -> None:
    with pytest.raises(MessageError, match="bed-1"):
        codec.decode(Topic(Kind.ECG, "bed-2"), codec.encode(chunk(0)))
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.PROCESS, role=Role.WORKER, instance="ab12"), codec.encode(PROCESS))
    with pytest.raises(MessageError, match=r"the payload is for .*wave/pleth"):
        codec.decode(Topic(Kind.WAVE, "bed-1", signal="abp"), codec.encode(wave(0)))


@pytest.mark.parametrize(
    "limits",
    [
        {"heart_rate_low": 120, "heart_rate_high": 120},
        {"heart_rate_low": 10},
        {"heart_rate_high": 301},
        {"heart_rate_low": 50.5},
        {"off": ["asystole"]},
        {"off": ["ventricular_fibrillation", "residual"]},
        {"off": ["tea_time"]},
        {"off": ["residual"] * (len(KINDS) + 1)},
    ],
    ids=str,
)
def test_invalid_limits_are_rejected(limits: dict[str, Any]) -> None:
    fields = json.loads(codec.encode(command(SetLimits(limits=Limits()))))
    fields["action"]["limits"] = limits
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.COMMAND, "bed-1"), json.dumps(fields).encode())


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"do": "toggle"},
        {"do": "acknowledge"},
        {"do": "pause_audio", "seconds": -1},
        {"do": "pause_alarms", "seconds": 999},
        {"do": "set_speed", "speed": 0},
        {"do": "seek", "position": -1},
        {"do": "show_episode"},
        {"do": "show_episode", "record": "mitdb/205", "start_s": 9.0, "end_s": 9.0},
    ],
    ids=str,
)
def test_invalid_commands_are_rejected(action: dict[str, Any]) -> None:
    fields = json.loads(codec.encode(command()))
    fields["action"] = action
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.COMMAND, "bed-1"), json.dumps(fields).encode())


def test_an_empty_payload_is_valid_on_retained_topics_only() -> None:
    assert codec.decode(Topic(Kind.ALARMS_ACTIVE, "bed-1"), b"") is None
    assert codec.decode(Topic(Kind.STATUS, "bed-1", Role.WORKER), b"") is None
    of_a_bed = (Kind.ECG, Kind.WAVE, Kind.FORECAST, Kind.BEATS, Kind.ANNOTATIONS, Kind.ALARMS, Kind.COMMAND, Kind.TRUTH)
    for kind in of_a_bed:
        with pytest.raises(MessageError, match="empty"):
            codec.decode(Topic(kind, "bed-1"), b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"gain": (math.nan,)},
        {"gain": (0.0,)},
        {"gain": (1e-36,)},
        {"gain": (1e300,)},
        {"start": 2**53, "epoch_start": 0},
        {"speed": 1e-308},
        {"gain": (200.0, 200.0)},
        {"seq": -1},
        {"start": -36},
        {"start": 2**63},
        {"epoch_start": 10_000},
        {"speed": 0.0},
        {"speed": math.inf},
        {"fs": 250},
        {"leads": ()},
        {"leads": ("II",) * 13, "gain": (1.0,) * 13, "zero": (0,) * 13},
        {"samples": b""},
        {"samples": b"\0\0\0"},
        {"session": "short"},
        {"session": SESSION + "\n"},
        {"bed": "Bed 1"},
        {"v": 2},
    ],
    ids=str,
)
def test_an_invalid_waveform_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.msgpack.decode(codec.encode(chunk(3))) | changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.ECG, "bed-1"), msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "changes",
    [
        {"signal": "ecg"},
        {"unit": "mV"},
        {"unit": "mmHg"},
        {"fs": 0.5},
        {"fs": 1001.0},
        {"fs": math.nan},
        {"gain": math.nan},
        {"gain": 0.0},
        {"zero": -32768},
        {"speed": math.inf},
        {"start": math.nan},
        {"start": -1.0},
        {"start": math.inf},
        {"position": 2.0**53},
        {"epoch_start": 10_000},
        {"samples": b""},
        {"samples": b"\0\0\0"},
        {"v": 2},
    ],
    ids=str,
)
def test_an_invalid_wave_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.msgpack.decode(codec.encode(wave(3))) | changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.WAVE, "bed-1", signal="pleth"), msgspec.msgpack.encode(fields))


def test_a_wave_has_its_unit_and_marks_invalid_samples() -> None:
    samples = np.array([-100, 900, -32768], "<i2").tobytes()
    values = wave(0, signal="abp", unit="mmHg", gain=10.0, zero=-100, samples=samples)
    np.testing.assert_array_equal(values.values(), [0.0, 100.0, np.nan])
    assert values.end == pytest.approx(3 * 360 / 125)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": b""},
        {"scale": b"\0" * 4},
        {"mean": np.full(192, np.nan, "<f4").tobytes()},
        {"score": math.nan},
        {"threshold": math.inf},
        {"leads": ["a", "b", "c"]},
    ],
    ids=str,
)
def test_an_invalid_forecast_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.msgpack.decode(codec.encode(forecast())) | changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.FORECAST, "bed-1"), msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "of_a_later_version"},
        {"reason": ""},
        {"reason": "Rule met"},
        {"reason": "x" * 33},
        {"beats": -1},
        {"leads": ["I", "II", "III"]},
        {"leads": [""]},
        {"replaced_by": "of_a_later_version"},
        {"switched_off_by": " "},
        {"horizon_ms": "31"},
    ],
    ids=str,
)
def test_an_invalid_alarm_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.json.decode(codec.encode(alarm())) | changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.ALARMS, "bed-1"), msgspec.json.encode(fields))


@pytest.mark.parametrize("speed", [0.0, -1.0, 7201.0])
def test_a_status_with_a_speed_at_which_nothing_is_replayed_is_rejected(speed: float) -> None:
    """Who divides by it would fail with each frame that it draws."""
    status = BedStatus(
        bed="bed-1", role="publisher", instance="a", state="playing", when="", record="r", session=SESSION
    )
    fields = msgspec.json.decode(codec.encode(status)) | {"speed": speed}
    with pytest.raises(MessageError, match="speed"):
        codec.decode(codec.topic_of(status), msgspec.json.encode(fields))


def test_millivolts_and_due_time() -> None:
    message = chunk(
        1,
        leads=("MLII", "V1"),
        gain=(200.0, 100.0),
        zero=(1024, 0),
        samples=np.array([[1024, 100], [1224, -32768]], "<i2").tobytes(),
        speed=2.0,
        t0_ns=1_000,
    )
    np.testing.assert_array_equal(message.mv(), [[0.0, 1.0], [1.0, np.nan]])
    assert message.n == 2
    assert message.end == message.start + 2
    assert message.due_ns == 1_000 + round(1e9 / 720)
