"""User errors are a one-line message and status 2, without a traceback."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli import main
from tests.system.commands import bedside, environment, error_line


def error_of(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, result.stderr
    return error_line(result.stderr)


@pytest.fixture
def port_in_use() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["replay", "mitdb/999"], ["mitdb/999", "data list"]),
        (["replay", "no/such/record"], ["no/such/record"]),
        (["replay", "--bed", "Bed 1=synthetic"], ["Bed 1", "a-z"]),
        (["replay", "--bed", "bed-1"], ["bed-1", "--bed bed-1=mitdb/208"]),
        (["replay", "--bed", "a=synthetic", "--bed", "a=synthetic"], ["twice"]),
        (["replay"], ["RECORD"]),
        (["replay", "synthetic", "--speed", "0"], ["speed 0"]),
        (["replay", "synthetic", "--inject", "bed-2 kind=mains"], ["--inject", "'bed-2' is no bed", "(bed-1)"]),
        (["replay", "synthetic", "--inject", "bed-1 kind=mains level=9"], ["0.01 to 5 mV, not 9"]),
        (["replay", "--ward", "5", "--inject", "icu-001 kind=mains"], ["--inject", "does not belong to a ward"]),
        (["command", "bed-1", "inject", "kind=tea"], ["'tea' is unknown", "lead_off"]),
        (["worker", "--max-wait", "0"], ["--max-wait 0"]),
        (["worker", "--workers", "0"], ["--workers '0'", "auto"]),
        (["worker", "--workers", "many"], ["--workers 'many'"]),
        (["worker", "--workers", "2", "--metrics", "65535"], ["--metrics 65535"]),
        (["worker", "--workers", "2", "--weights", "no-such-file"], ["no-such-file"]),
        (["replay", "synthetic", "--chunk", "0"], ["chunk of 0"]),
        (["replay", "synthetic", "--start", "9999"], ["9999", "ends at"]),
        (["replay", "synthetic", "--broker", "http://ward"], ["mqtt://"]),
        (["replay", "synthetic", "--ledger", "no/such/folder/ledger.csv"], ["ledger.csv", "--ledger"]),
        (["worker", "--weights", "no-such-file"], ["no-such-file"]),
        (["alarms", "--db", "no/such/folder/alarms.sqlite"], ["alarms.sqlite"]),
        (["monitor", "--who", " "], ["--who ' '", "not all blank"]),
        (["monitor", "--screenshot", "no/such/folder/x.png"], ["x.png"]),
        (["tap", "--broker", "mqtt://ward:port"], ["mqtt://"]),
        (["analyze", "mitdb/999", "--out", "out"], ["mitdb/999"]),
        (["demo", "--headless", "--seconds", "0"], ["--seconds 0"]),
        (["demo", "--headless", "--record", "mitdb/999"], ["mitdb/999"]),
        (["evaluate", "--records", "DS3"], ["DS3"]),
    ],
    ids=" ".join,
)
def test_each_user_error_is_a_one_line_message(
    arguments: list[str], expected: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("BEDSIDE_BROKER", "mqtt://127.0.0.1:1")
    status = main(arguments)
    line = error_line(capfd.readouterr().err)
    assert status == 2
    for text in expected:
        assert text in line


def test_an_unreachable_broker() -> None:
    line = error_of(bedside("tap", "--broker", "mqtt://127.0.0.1:1"))
    assert "127.0.0.1:1" in line
    assert "--broker" in line


def test_a_port_in_use(port_in_use: int) -> None:
    line = error_of(bedside("broker", "--port", str(port_in_use)))
    assert str(port_in_use) in line
    assert "--port" in line


def test_invalid_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"not safetensors at all")
    assert "weights.safetensors" in error_of(bedside("worker", "--weights", str(weights)))


def test_an_invalid_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 100)
    line = error_of(bedside("alarms", "--db", str(file), env=environment()))
    assert "notes.txt" in line
    assert file.read_text().startswith("not a database"), "the file is unchanged"
