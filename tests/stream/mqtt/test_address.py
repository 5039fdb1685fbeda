import pytest

from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress


def test_the_parts_of_a_url() -> None:
    address = BrokerAddress.parse("mqtts://nurse:p%40ss@ward.example:9999")
    assert (address.host, address.port, address.tls) == ("ward.example", 9999, True)
    assert (address.username, address.password) == ("nurse", "p@ss")
    assert BrokerAddress.parse("mqtt://h").port == 1883
    assert BrokerAddress.parse("mqtts://h").port == 8883
    assert str(BrokerAddress.parse("mqtt://[::1]:77")) == "mqtt://[::1]:77"


def test_the_password_is_never_shown() -> None:
    address = BrokerAddress.parse("mqtt://nurse:secret@ward:1883")
    assert "secret" not in f"{address} {address!r}"
    assert "nurse" not in f"{address} {address!r}"


@pytest.mark.parametrize("url", ["", "ward", "http://ward", "mqtt://", "mqtt://nurse:secret@", "mqtt://ward:port",
                                 "mqtt://ward:99999", "mqtt://nurse:secret@ward/path"])  # fmt: skip
def test_a_wrong_url_gets_one_line_without_its_password(url: str) -> None:
    with pytest.raises(UsageError) as error:
        BrokerAddress.parse(url)
    assert "mqtt://" in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_the_environment_names_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEDSIDE_BROKER", raising=False)
    assert str(BrokerAddress.from_environment()) == "mqtt://127.0.0.1:1883"
    monkeypatch.setenv("BEDSIDE_BROKER", "mqtt://ward:7")
    assert str(BrokerAddress.from_environment()) == "mqtt://ward:7"
    assert str(BrokerAddress.from_environment("mqtt://other:8")) == "mqtt://other:8"
