"""A record of twelve leads through publisher, worker, recorder and view: all travel, two are analysed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitor.view.presenter import Presenter
from monitor.view.trace import View
from stream.mqtt.client import Client
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient
from stream.records.wfdb_reader import read
from stream.records.wfdb_writer import write
from stream.timebase import FS
from stream.wire.messages import Forecast, Vitals, Waveform
from stream.wire.topics import Kind, pattern
from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")]

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def twelve_leads(folder: Path) -> Path:
    """Write a minute of a synthetic patient as a record of twelve leads, II and I being those of its MLII and V1."""
    own = generate(Patient(), 60, seed=3)
    second, chest = own.mv().T
    first = 0.6 * second
    limbs = (first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2)
    mv = np.stack([*limbs, *(share * chest for share in (1.0, 0.8, 0.5, -0.5, -0.8, -1.0))], axis=1)
    adu = np.round(1000 * mv).astype(np.int16)
    write(folder / "twelve", adu, leads=LEADS, gain=(1000.0,) * 12, zero=(0,) * 12)
    return folder / "twelve"


async def test_twelve_leads_travel_and_two_are_analysed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    stem, env, out = twelve_leads(tmp_path), environment(mosquitto.address), tmp_path / "out"
    presenter, chunks, forecasts, vitals = Presenter(), list[Waveform](), list[Forecast](), list[Vitals]()
    patterns = [pattern(kind) for kind in (Kind.ECG, Kind.FORECAST, Kind.VITALS)]
    async with Client(mosquitto.address, role=None, subscriptions=patterns) as client:
        with (
            running("worker", "--state", str(tmp_path / "state"), env=env, output=tmp_path / "worker.log"),
            running("record", "--out", str(out), env=env, output=tmp_path / "record.log"),
        ):
            wait_until(lambda: "connected" in (tmp_path / "record.log").read_text(), "the recorder")
            wait_until(lambda: "ready" in (tmp_path / "worker.log").read_text(), "the worker")
            with running("replay", str(stem), "--speed", "4", env=env, output=tmp_path / "replay.log"):
                while not (vitals and vitals[-1].index > 20 * FS):
                    received = await client.receive()
                    presenter.process(received)
                    match received.message:
                        case Waveform() as chunk:
                            chunks.append(chunk)
                        case Forecast() as forecast:
                            forecasts.append(forecast)
                        case Vitals() as seconds:
                            vitals.append(seconds)
    record = read(stem, name="twelve", source="test")
    assert chunks[0].leads == record.leads == ("II", "V1", *(name for name in LEADS if name not in ("II", "V1")))
    np.testing.assert_array_equal(np.concatenate([one.adu() for one in chunks]), record.adu[: chunks[-1].end])
    assert {one.leads for one in forecasts} == {("II", "V1")}
    assert 50 < (vitals[-1].heart_rate or 0) < 110

    bed = presenter.bed("bed-1")
    assert bed is not None
    bed.advance(received.received_ns + 10**9, View(max_leads=12, leads=("V6", "II")))
    trace = bed.trace()
    assert trace is not None
    assert trace.leads == ("V6", "II")
    np.testing.assert_allclose(trace.mv[-360:], record.mv()[trace.cursor - 360 : trace.cursor, [11, 0]], atol=1e-5)

    [header] = out.glob("bed-1/*_0001.hea")
    kept = read(header.with_suffix(""), name="kept", source="test")
    assert kept.leads == record.leads
    np.testing.assert_array_equal(kept.adu, record.adu[: kept.n])
    assert kept.n > 15 * FS
