"""compose.yaml fits the other files of deploy/ and the options of the commands. No container is started."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.arguments.parser import parser
from stream.mqtt.address import BROKER_VARIABLE, FILE_VARIABLES, BrokerAddress
from tests.deploy.ward import CERTIFICATE_PORT, DEPLOY, PASSWORD_PORT, ROLES, make_credentials

SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
OWN = [name for name in SERVICES if name != "broker"]


def mounts(service: str) -> dict[str, str]:
    """Return the source of each path in a container."""
    parts = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return {target: source for source, target, *_ in parts}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names of the files that make_credentials.py makes."""
    folder = tmp_path_factory.mktemp("credentials")
    assert make_credentials(folder).returncode == 0
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("service", SERVICES)
def test_mounted_files_exist_or_are_made(service: str, made: set[str]) -> None:
    for source in mounts(service).values():
        path = Path(source)
        assert path.name in made if path.parent.name == "credentials" else (DEPLOY / path).exists(), source


def test_the_broker_has_the_files_of_its_configuration_and_no_others() -> None:
    text = (DEPLOY / "mosquitto.conf").read_text()
    named = set(re.findall(r"^(?:\w+file|acl_file|persistence_location) (\S+)$", text, re.MULTILINE))
    folder = SERVICES["broker"]["working_dir"]
    assert {f"{folder}/{path.rstrip('/')}" for path in named} == mounts("broker").keys() - {f"{folder}/mosquitto.conf"}
    ports = [f"{port}:{port}" for port in re.findall(r"^listener (\d+)$", text, re.MULTILINE)]
    assert SERVICES["broker"]["ports"] == ports == [f"{p}:{p}" for p in (CERTIFICATE_PORT, PASSWORD_PORT)]


@pytest.mark.parametrize("service", OWN)
def test_a_service_runs_a_command_with_the_certificate_of_its_role(service: str) -> None:
    arguments = parser().parse_args(SERVICES[service]["command"])
    assert "broker" in arguments, "a command with a connection"
    assert service in ROLES
    environment, files = SERVICES[service]["environment"], mounts(service)
    address = BrokerAddress.parse(environment[BROKER_VARIABLE])
    assert (address.host, address.port, address.tls) == ("broker", CERTIFICATE_PORT, True)
    sources = {
        name: files[environment[variable]] for name, variable in FILE_VARIABLES.items() if variable in environment
    }
    folder = "./credentials"
    assert sources == {"ca": f"{folder}/ca.crt", "cert": f"{folder}/{service}.crt", "key": f"{folder}/{service}.key"}
    assert sum(source.startswith(folder) for source in files.values()) == len(sources), "and no other key"


def test_credentials_are_kept_and_renewed_one_by_one(tmp_path: Path) -> None:
    assert make_credentials(tmp_path).returncode == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "worker.crt").unlink()
    (tmp_path / "logger.password").unlink()
    assert make_credentials(tmp_path).returncode == 0
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {
        "worker.crt", "worker.key", "logger.password", "passwords",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}, "readable by the owner only"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = make_credentials(tmp_path / "file")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert str(tmp_path / "file") in result.stderr


def test_nothing_made_is_committed() -> None:
    for folder in ("credentials", "data", "alarms", "state"):
        assert (DEPLOY / folder / ".gitignore").read_text().endswith("*\n!.gitignore\n")
