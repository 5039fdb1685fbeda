"""Mosquitto is killed and restarted 5 s later: every sample arrives once, or is counted in a gap."""

import csv
import time
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until

Rows = list[dict[str, str]]


def rows(path: Path) -> Rows:
    """Return the complete rows of ECG in a ledger that is still being written."""
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    return [row for row in csv.DictReader(whole.splitlines()) if row["signal"] == "ecg"]


def samples(ledger: Rows, bed: str) -> int:
    return sum(int(row["n"]) for row in ledger if row["bed"] == bed and row.get("verdict") != "duplicate")


@pytest.mark.timeout(180)
def test_every_sample_arrives_once_or_is_counted_in_a_gap(mosquitto: Mosquitto, tmp_path: Path) -> None:
    env = environment(mosquitto.address)
    published, worked = tmp_path / "published.csv", tmp_path / "worked.csv"
    beds = ["--bed", "bed-1=synthetic", "--bed", "bed-2=synthetic", "--chunk", "18", "--loop"]
    with running("worker", "--ledger", str(worked), env=env, output=tmp_path / "worker.log"):
        wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
        replay = running("replay", *beds, "--ledger", str(published), env=env, output=tmp_path / "replay.log")
        with replay:
            wait_until(lambda: samples(rows(worked), "bed-1") > 3 * 360, "three seconds of signal")
            mosquitto.kill()
            time.sleep(5)
            mosquitto.start()
            before = samples(rows(published), "bed-1")
            wait_until(lambda: samples(rows(worked), "bed-1") > before, "further signal")
            time.sleep(2)
        wait_until(
            lambda: rows(worked)[-1]["start"] == rows(published)[-1]["start"], "the last chunk of the publisher", 20
        )
    sent, processed = rows(published), rows(worked)
    for bed in ("bed-1", "bed-2"):
        ledger = [row for row in sent if row["bed"] == bed]
        steps = [row for row in processed if row["bed"] == bed and row["verdict"] != "duplicate"]
        assert [int(row["seq"]) for row in ledger] == list(range(len(ledger))), "the publisher skipped nothing"
        position = int(steps[0]["start"])
        assert position == 0
        for row in steps:
            assert int(row["start"]) == position + int(row["lost_samples"]), "repeated or uncounted samples"
            position = int(row["start"]) + int(row["n"])
        last = ledger[-1]
        assert position == int(last["start"]) + int(last["n"]), "the tail is missing"
        published_chunks = {(row["session"], row["seq"], row["start"], row["n"]) for row in ledger}
        assert {(row["session"], row["seq"], row["start"], row["n"]) for row in steps} <= published_chunks
    assert "connection to" in (tmp_path / "worker.log").read_text()
