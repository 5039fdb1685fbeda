"""Output of `bedside tap`, with real brokers and a real pipe."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sys
import unicodedata
from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitor.tools import tap
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Received
from stream.mqtt.embedded_broker import embedded_broker, free_port
from stream.wire.codec import topic_of
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.topics import Kind, Role, Topic
from stream.wire.ward_batches import ward_ecg
from tests.monitor.alarm_log.test_store import alarm
from tests.monitor.message_samples import vitals
from tests.stream.wire.test_codec import WARD_BEDS
from tests.stream.wire.ward_forecasts import ward_forecast
from tests.waveforms import SESSION, chunk, numeric, numerics, wave


def received(message: Message) -> Received:
    return Received(topic_of(message), message, False, 1_700_000_000_250_000_000, 0, 0, 0)


def forecast(horizon: int = 3) -> Forecast:
    mean = np.arange(2 * horizon, dtype="<f4").reshape(horizon, 2) / 8
    return Forecast(
        bed="bed-1",
        session=SESSION,
        epoch=0,
        seq=4,
        origin=99,
        offsets=(4, 8, 16)[:horizon],
        leads=("MLII", "V1"),
        mean=mean.tobytes(),
        scale=(mean + 0.5).tobytes(),
        score=None,
        threshold=6.0,
        published_ns=1,
    )


def two_leads() -> Waveform:
    """Return three samples of two leads; the second of V1 is invalid."""
    samples = np.array([[1024, 0], [1224, -32768], [924, 50]], dtype="<i2")
    return chunk(
        0, n=3, leads=("MLII", "V1"), gain=(200.0, 100.0), zero=(1024, 0), samples=samples.tobytes(), speed=2.0
    )


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def plan_rows(topic: str | None, message: Message) -> list[dict[str, str]]:
    lines, header, _ = tap._plan("csv", topic)
    return table(header + lines(received(message)))


def test_ecg_in_csv_is_one_row_per_sample() -> None:
    first, second, third = plan_rows(None, two_leads())
    assert tuple(first) == tap.ECG_COLUMNS
    assert [row["mv_1"] for row in (first, second, third)] == ["0", "1", "-0.5"]
    assert [row["mv_2"] for row in (first, second, third)] == ["0", "", "0.5"]
    assert (second["lead_1"], second["lead_2"], second["index"]) == ("MLII", "V1", "1")
    assert first["time"] == "1700000000.000000"
    assert third["time"] == f"1700000000.{round(2e6 / 720):06d}"


def test_ecg_of_a_ward_has_the_same_rows_and_each_sample_once() -> None:
    lines, header, subscriptions = tap._plan("csv", None)
    assert subscriptions == ["bedside/v1/+/ecg", "bedside/v1/_/ward/+/ecg"]
    first, second = (ward_ecg([chunk(seq, bed=bed) for bed in WARD_BEDS]) for seq in (0, 1))
    own = chunk(1, bed=WARD_BEDS[1])
    rows = table(header + "".join(lines(received(message)) for message in (first, own, second)))
    found = sorted((row["bed"], int(row["index"])) for row in rows)
    assert found == [(bed, index) for bed in WARD_BEDS for index in range(72)]


def test_a_message_of_a_ward_is_a_list_of_beds_in_json() -> None:
    chunks = [chunk(1, bed=bed) for bed in WARD_BEDS]
    line = json.loads(tap.json_line(received(ward_ecg(chunks))))
    assert line["topic"] == "bedside/v1/_/ward/0/ecg"
    alone = [json.loads(tap.json_line(received(one)))["message"] for one in chunks]
    assert line["message"] == {"v": 1, "shard": 0, "beds": alone}


def test_forecasts_of_a_ward_are_a_list_of_beds_in_json() -> None:
    made = [
        msgspec.structs.replace(forecast(), bed=WARD_BEDS[0]),
        msgspec.structs.replace(forecast(), bed=WARD_BEDS[1], score=2.5),
    ]
    message = json.loads(tap.json_line(received(ward_forecast(made, (4, 16)))))["message"]
    assert (message["shard"], message["offsets"]) == (0, [4, 16])
    assert [(bed["bed"], bed["score"]) for bed in message["beds"]] == [(WARD_BEDS[0], None), (WARD_BEDS[1], 2.5)]
    assert message["beds"][1]["mean_mv"] == [[0.0, 0.5], [0.125, 0.625]]
    assert message["beds"][0]["origin"] == 99


def test_one_lead_and_twelve_have_the_same_columns() -> None:
    row = plan_rows("bedside/v1/bed-1/ecg", chunk(2))[5]
    assert (row["index"], row["mv_1"], row["lead_2"], row["mv_2"]) == ("77", f"{(77 - 1024) / 200:.6g}", "", "")
    names, samples = tuple(f"L{number}" for number in range(1, 13)), np.arange(12, dtype="<i2").tobytes()
    many = chunk(0, n=1, leads=names, gain=(100.0,) * 12, zero=(0,) * 12, samples=samples)
    [row] = plan_rows("bedside/v1/bed-1/ecg", many)
    assert tuple(row) == tap.ECG_COLUMNS
    assert (row["lead_3"], row["mv_3"], row["lead_12"], row["mv_12"]) == ("L3", "0.02", "L12", "0.11")


def test_a_forecast_in_csv_is_one_row_per_sample_and_lead() -> None:
    rows = plan_rows("bedside/v1/+/forecast", forecast())
    assert [(row["index"], row["lead"]) for row in rows[:3]] == [("103", "MLII"), ("103", "V1"), ("107", "MLII")]
    assert [float(row["mean_mv"]) for row in rows] == [0, 0.125, 0.25, 0.375, 0.5, 0.625]
    assert rows[0]["scale_mv"] == "0.5"
    assert rows[0]["score"] == ""


def test_a_wave_in_csv_is_one_row_per_sample() -> None:
    samples = np.array([100, -32768, -50], "<i2").tobytes()
    rows = plan_rows("bedside/v1/+/wave/abp", wave(1, signal="abp", unit="mmHg", samples=samples, speed=2.0))
    assert tuple(rows[0]) == tap.WAVE_COLUMNS
    assert [(row["value"], row["unit"]) for row in rows] == [("1", "mmHg"), ("", "mmHg"), ("-0.5", "mmHg")]
    # Sample 13 at 125 Hz is the first after 36 samples at 360 Hz.
    assert [row["start"] for row in rows] == ["37.44", "40.32", "43.2"]
    assert float(rows[2]["time"]) - float(rows[0]["time"]) == pytest.approx(2 / 250, abs=1e-5)


def test_an_alarm_in_csv_is_one_row() -> None:
    (row,) = plan_rows("bedside/v1/+/alarms", alarm(7, text='said "look", twice'))
    assert (row["onset"], row["end"], row["text"]) == ("7", "", 'said "look", twice')


def test_json_has_one_list_per_lead_in_mv() -> None:
    line = json.loads(tap.json_line(received(two_leads())))
    assert line["topic"] == "bedside/v1/bed-1/ecg"
    assert line["received"] == 1700000000.25
    assert line["message"]["mv"] == [[0.0, 1.0, -0.5], [0.0, None, 0.5]]
    assert "samples" not in line["message"]
    assert line["message"]["v"] == 1
    line = json.loads(tap.json_line(received(forecast())))
    assert line["message"]["offsets"] == [4, 8, 16]
    assert line["message"]["mean_mv"] == [[0.0, 0.25, 0.5], [0.125, 0.375, 0.625]]
    assert line["message"]["score"] is None


def test_json_has_the_values_of_a_wave() -> None:
    samples = np.array([100, -32768, -50], "<i2").tobytes()
    line = json.loads(tap.json_line(received(wave(0, samples=samples))))
    assert line["topic"] == "bedside/v1/bed-1/wave/pleth"
    assert line["message"]["values"] == [1.0, None, -0.5]
    assert "samples" not in line["message"]


def test_numerics_are_one_row_per_value() -> None:
    spo2, pressure = plan_rows("bedside/v1/+/numerics", numerics())
    assert (spo2["index"], spo2["name"], spo2["value"], spo2["unit"]) == ("720", "spo2", "97", "%")
    assert (spo2["source"], spo2["age_s"], spo2["lead"], spo2["quality"]) == ("recorded", "0.25", "", "")
    assert (pressure["name"], pressure["value"], pressure["age_s"]) == ("abp_mean", "", "8.0")
    level = numeric("st", -0.125, lead="V1", source="measured", quality=0.5)
    (row,) = plan_rows("bedside/v1/+/numerics/derived", numerics(values=(level,), lease=2))
    assert (row["lead"], row["value"], row["quality"], row["lease"]) == ("V1", "-0.125", "0.5", "2")


def test_numerics_in_json_keep_what_is_missing() -> None:
    line = json.loads(tap.json_line(received(numerics())))
    assert line["topic"] == "bedside/v1/bed-1/numerics"
    assert [(one["name"], one["value"], one["age_s"]) for one in line["message"]["values"]] == [
        ("spo2", 97.0, 0.25),
        ("abp_mean", None, 8.0),
    ]


def test_a_removed_retained_message_is_null() -> None:
    line = tap.json_line(Received(Topic(Kind.ALARMS_ACTIVE, "bed-1"), None, False, 0, 0, 0, 0))
    assert json.loads(line)["message"] is None


@pytest.mark.parametrize(
    ("topic", "kinds"),
    [
        ("bedside/v1/+/ecg", ["ecg"]),
        ("bedside/v1/bed-7/ecg/#", ["ecg"]),
        ("bedside/v1/+/wave/pleth", ["wave"]),
        ("bedside/v1/+/numerics", ["numerics"]),
        ("bedside/v1/bed-1/numerics/#", ["numerics", "numerics/derived"]),
        ("+/+/bed-7/alarms", ["alarms"]),
        ("bedside/v1/+/alarms/#", ["alarms", "alarms/active"]),
        ("bedside/v1/_/#", ["process", "events/request", "ward/ecg", "ward/forecast"]),
        ("bedside/v1/_/status/logger/+", ["process"]),
        ("bedside/v1/+/status/+", ["status"]),
        ("bedside/v1/+/status/+/+", ["process"]),
        ("#", [*Kind]),
        ("bedside/#", [*Kind]),
    ],
)
def test_kinds_matched_by_a_filter(topic: str, kinds: list[str]) -> None:
    assert sorted(tap.kinds_of(topic)) == sorted(kinds)


@pytest.mark.parametrize(
    "topic", ["", "ecg", "bedside/v2/#", "bedside/v1/#/ecg", "bedside/v1/bed+/ecg", "bedside/v1/_/ecg", "a\0b"]
)
def test_an_invalid_filter_is_reported_in_one_line(topic: str) -> None:
    with pytest.raises(UsageError) as caught:
        tap.kinds_of(topic)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("topic", ["#", "bedside/v1/+/alarms/#", "bedside/v1/+/status/+"])
def test_csv_of_several_kinds_or_of_one_without_columns_is_refused(topic: str) -> None:
    with pytest.raises(UsageError, match="--format json"):
        tap._plan("csv", topic)


async def test_every_sample_is_printed(broker: BrokerAddress) -> None:
    out = io.StringIO()
    tapping = asyncio.create_task(tap.serve(broker, "csv", None, out))
    async with Client(broker, role=Role.PUBLISHER) as publisher:
        # The header is written once the broker has accepted the subscription.
        while not out.getvalue():
            await asyncio.sleep(0.01)
        for seq in range(20):
            publisher.send(chunk(seq))
        while out.getvalue().count("\n") < 1 + 20 * 36:
            await asyncio.sleep(0.01)
    tapping.cancel()
    await asyncio.wait([tapping])
    rows = table(out.getvalue())
    assert [int(row["index"]) for row in rows] == list(range(720))
    assert [round(float(row["mv_1"]) * 200 + 1024) for row in rows] == list(range(720))


async def test_it_exits_silently_when_the_reader_closes_the_pipe(tmp_path: Path) -> None:
    async with embedded_broker(port=free_port()) as address:
        reading, writing = os.pipe()
        with (tmp_path / "stderr").open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "monitor.cli", "tap", "--format", "csv", "--broker", str(address)),
                stdout=writing,
                stderr=errors,
            )
        os.close(writing)
        try:
            header = await asyncio.to_thread(os.read, reading, 1000)
            assert header.decode() == ",".join(tap.ECG_COLUMNS) + "\n"
            os.close(reading)
            async with Client(address, role=Role.PUBLISHER) as publisher:
                seq = 0
                while process.returncode is None:
                    publisher.send(chunk(seq))
                    seq += 1
                    await asyncio.sleep(0.05)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    assert process.returncode == 0
    assert (tmp_path / "stderr").read_text().splitlines() == [
        f"bedside tap: connecting to {address}",
        "bedside tap: printing bedside/v1/+/ecg, bedside/v1/_/ward/+/ecg; Ctrl-C ends it",
    ]


def test_control_characters_from_the_wire_are_printed_as_escapes() -> None:
    hostile = "mitdb/\x1b]0;owned\x07\x9b2J\u202e"
    line = tap.json_line(received(chunk(0, record=hostile)))
    for text in (line, tap._csv(tap.ecg_rows(chunk(0, record=hostile)))):
        assert r"mitdb/\u001b]0;owned\u0007\u009b2J\u202e" in text
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
    assert json.loads(line)["message"]["record"] == hostile


def test_rows_leave_out_a_worker_that_another_one_has_replaced() -> None:
    lines, _, _ = tap._plan("csv", "bedside/v1/+/vitals")
    messages = [vitals(number, lease=lease) for number, lease in enumerate((1, 2, 2, 1))]
    rows = [lines(received(message)) for message in messages]
    assert [bool(row) for row in rows] == [True, True, True, False]
