"""Each mistake with certificates and passwords is one line: what is wrong, and what to do."""

import gc
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stream.errors import BrokerError
from stream.mqtt.client import Client
from tests.brokers import Mosquitto
from tests.deploy.ward import PASSWORD_PORT, Ward, make_credentials
from tests.system.commands import bedside, environment, error_line, running, wait_until


@dataclass(frozen=True)
class Places:
    """What the arguments of the cases name: ``own`` and ``other`` credentials, ``made`` files, ports."""

    own: Path
    other: Path
    made: Path
    certificate: int
    password: int
    plain: int
    expired: int


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def places(ward: Ward) -> Iterator[Places]:
    with tempfile.TemporaryDirectory() as folder:
        made, other, past = (Path(folder) / name for name in ("made", "other", "past"))
        made.mkdir()
        for path, arguments in ((other, ("ward.example",)), (past, ("ward.example", "--days", "0"))):
            assert make_credentials(path, *arguments).returncode == 0
        for name in ("ca.crt", "ca.key"):
            (made / name).write_bytes((ward.credentials / name).read_bytes())
        assert make_credentials(made, "ward.example", "--days", "0").returncode == 0
        time.sleep(1.1)  # certificates that are valid for 0 days have expired
        openssl("pkey", "-in", ward.credentials / "worker.key", "-aes256", "-passout", "pass:x", "-out",
                made / "encrypted.key")  # fmt: skip
        (made / "garbage.pem").write_text("no certificate\n")
        (made / "empty").write_text("")
        for name in ("plain", "expired"):
            (Path(folder) / name).mkdir()
        plain = Mosquitto(Path(folder) / "plain")
        expired = Mosquitto(
            Path(folder) / "expired",
            f"allow_anonymous true\nuser root\ncertfile {past}/broker.crt\nkeyfile {past}/broker.key",
        )
        (made / "past-ca.crt").write_bytes((past / "ca.crt").read_bytes())
        plain.start()
        expired.start()
        try:
            yield Places(ward.credentials, other, made, *ward.ports.values(), plain.port, expired.port)
        finally:
            plain.stop()
            expired.stop()


OWN = ["--ca", "{own}/ca.crt"]
PAIR = [*OWN, "--cert", "{own}/observer.crt", "--key", "{own}/observer.key"]
DOOR = "mqtts://127.0.0.1:{certificate}"
MISTAKES = {
    "no certificate": ([DOOR, *OWN], ["demands a client certificate", "--cert"]),
    "unknown authority of the broker": (
        [DOOR, *PAIR[2:], "--ca", "{other}/ca.crt"], ["not trusted", "other/ca.crt", "--ca"],
    ),
    "no authority named": ([DOOR, *PAIR[2:]], ["not trusted", "the system's", "--ca"]),
    "another host": (["mqtts://127.1:{certificate}", *PAIR], ["another host than '127.1'"]),
    "expired certificate of the broker": (
        ["mqtts://127.0.0.1:{expired}", "--ca", "{made}/past-ca.crt"], ["has expired", "the broker needs a new one"],
    ),
    "certificate of another authority": (
        [DOOR, *OWN, "--cert", "{other}/observer.crt", "--key", "{other}/observer.key"],
        ["does not know the authority", "other/observer.crt"],
    ),
    "expired certificate": (
        [DOOR, *OWN, "--cert", "{made}/observer.crt", "--key", "{made}/observer.key"],
        ["made/observer.crt", "has expired", "renew it"],
    ),
    "certificate of a server": (
        [DOOR, *OWN, "--cert", "{own}/broker.crt", "--key", "{own}/broker.key"], ["own/broker.crt", "clientAuth"],
    ),
    "key of another certificate": (
        [DOOR, *OWN, "--cert", "{own}/observer.crt", "--key", "{own}/worker.key"],
        ["own/worker.key is not the key of certificate", "own/observer.crt"],
    ),
    "encrypted key": (
        [DOOR, *OWN, "--cert", "{own}/worker.crt", "--key", "{made}/encrypted.key"], ["encrypted", "openssl pkey -in"],
    ),
    "no key": ([DOOR, *OWN, "--cert", "{own}/observer.crt"], ["observer.crt", "--key"]),
    "key without certificate": ([DOOR, *OWN, "--key", "{own}/observer.key"], ["observer.key", "--cert"]),
    "damaged key": (
        [DOOR, *OWN, "--cert", "{own}/observer.crt", "--key", "{made}/garbage.pem"], ["garbage.pem", "PEM"],
    ),
    "damaged authority": ([DOOR, *PAIR[2:], "--ca", "{made}/garbage.pem"], ["garbage.pem", "no certificate"]),
    "file that is not there": ([DOOR, *PAIR[:2], "--cert", "{made}/none.crt"], ["none.crt", "No such file"]),
    "folder instead of a file": ([DOOR, *PAIR[2:], "--ca", "{made}"], ["Is a directory"]),
    "files in the query": ([DOOR + "?ca={own}/ca.crt&cert={made}/none.crt"], ["none.crt", "No such file"]),
    "certificate without TLS": (["mqtt://127.0.0.1:{plain}", *PAIR], ["mqtts://"]),
    "TLS with a broker that has none": (["mqtts://127.0.0.1:{plain}"], ["does not use TLS", "write mqtt://"]),
    "no TLS with a broker that demands it": (["mqtt://127.0.0.1:{certificate}"], ["without an answer", "mqtts://"]),
    "no password": (["mqtts://127.0.0.1:{password}", *OWN], ["refuses this client", "user name and password"]),
    "password of another user": (
        ["mqtts://observer@127.0.0.1:{password}", *OWN, "--password-file", "{own}/worker.password"],
        ["refuses this client", "user name and password"],
    ),
    "password file without user": (
        ["mqtts://127.0.0.1:{password}", *OWN, "--password-file", "{own}/worker.password"], ["mqtts://USER@HOST"],
    ),
    "password file that is not there": (
        ["mqtts://worker@127.0.0.1:{password}?password-file={made}/none"], ["made/none", "No such file"],
    ),
    "empty password file": (
        ["mqtts://worker@127.0.0.1:{password}", "--password-file", "{made}/empty"], ["made/empty", "one line"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(mistake: str, places: Places) -> None:
    arguments, expected = MISTAKES[mistake]
    result = bedside("tap", "--broker", *(text.format(**vars(places)) for text in arguments))
    assert result.returncode == 2
    line = error_line(result.stderr)
    for name in ("own", "other", "made"):
        line = line.replace(str(getattr(places, name)), name)
    for text in expected:
        assert text in line
    assert "timed out" not in line


async def test_a_failed_handshake_leaves_no_socket_open(ward: Ward, places: Places) -> None:
    """A window tries again each second, for hours."""
    address = replace(ward.with_certificate("monitor"), ca=places.other / "ca.crt")
    for _ in range(3):
        with pytest.raises(BrokerError, match="not trusted"):
            async with Client(address, role=None):
                pass
    gc.collect()  # an open socket raises a warning when it is collected


@pytest.mark.parametrize("command", [["replay", "synthetic"], ["worker"], ["alarms", "--db", "alarms.sqlite"], ["tap"]])
def test_a_demanded_certificate_is_named_by_each_command(
    command: list[str], places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = environment(BEDSIDE_BROKER=DOOR.format(**vars(places)), BEDSIDE_CA=str(places.own / "ca.crt"))
    result = bedside(*command, env=env)
    assert result.returncode == 2
    assert "demands a client certificate" in error_line(result.stderr)


def test_the_password_is_neither_in_the_process_list_nor_in_the_logs(ward: Ward, tmp_path: Path) -> None:
    """Password from a file, from the environment, and from a file named in the URL."""
    file = ward.credentials / "observer.password"
    password = file.read_text().strip()
    url = f"mqtts://observer@127.0.0.1:{ward.ports[PASSWORD_PORT]}"
    ca = str(ward.credentials / "ca.crt")
    for arguments, variables in (
        (["--password-file", str(file)], {"BEDSIDE_BROKER": url, "BEDSIDE_CA": ca}),
        (["--ca", ca], {"BEDSIDE_BROKER": url, "BEDSIDE_PASSWORD": password}),
        (["--broker", f"{url}?ca={ca}&password-file={file}"], {}),
        ([], {"BEDSIDE_BROKER": url, "BEDSIDE_CA": ca, "BEDSIDE_PASSWORD_FILE": str(file)}),
    ):
        before = ward.log().count(" as bedside-observer-")
        log = tmp_path / "tap.log"
        with running("tap", *arguments, env=environment(**variables), output=log) as process:
            wait_until(lambda n=before: ward.log().count(" as bedside-observer-") > n, "the connection")
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        assert password not in shown
        assert password not in log.read_text()
    assert password not in ward.log()


def test_a_password_in_the_arguments_is_warned_of(ward: Ward) -> None:
    result = bedside("tap", "--broker", f"mqtts://observer:s3cret@127.0.0.1:{ward.ports[PASSWORD_PORT]}")
    assert result.returncode == 2
    assert "--password-file" in result.stderr
    assert "s3cret" not in result.stderr
