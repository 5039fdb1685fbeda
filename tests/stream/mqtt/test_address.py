import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress


def test_the_parts_of_a_url() -> None:
    address = BrokerAddress.parse("mqtts://nurse:p%40ss@ward.example:9999")
    assert (address.host, address.port, address.tls) == ("ward.example", 9999, True)
    assert (address.username, address.password) == ("nurse", "p@ss")
    assert BrokerAddress.parse("mqtt://h").port == 1883
    assert BrokerAddress.parse("mqtts://h").port == 8883
    assert str(BrokerAddress.parse("mqtt://[::1]:77")) == "mqtt://[::1]:77"


def test_the_password_is_not_in_repr_or_str() -> None:
    address = BrokerAddress.parse("mqtt://nurse:secret@ward:1883")
    assert "secret" not in f"{address} {address!r}"
    assert "nurse" not in f"{address} {address!r}"


SECRETS = ("zq7x", "48213", "Wv9k")
"""Parts of a password that occur in no error message; digits too, which are a valid port."""

passwords = st.lists(
    st.sampled_from([*SECRETS, "/", "?", "#", "@", ":", "[", "]", "%", "%2F", "\\", " ", "\n", "é", "℀"]),
    min_size=1,
    max_size=8,
).map("".join)


@given(st.sampled_from(["mqtt", "mqtts", "http", ""]), st.sampled_from(["nurse", "", "n/u", "n@u"]), passwords,
       st.sampled_from(["@ward:1883", "@ward", "@", "@ward:99999", "@ward/path"]))  # fmt: skip
@example("mqtt", "nurse", "zq7x/Wv9k", "@ward:1883")
@example("mqtt", "nurse", "48213/Wv9k", "@ward:1883")
@example("mqtt", "nurse", "48213#Wv9k", "@ward:1883")
@example("mqtt", "nurse", "zq7x℀", "@ward:1883")
def test_no_error_message_contains_the_password(scheme: str, user: str, password: str, rest: str) -> None:
    url = f"{scheme}://{user}:{password}{rest}"
    try:
        shown = (address := BrokerAddress.parse(url)).__str__() + repr(address)
    except UsageError as error:
        shown = str(error)
        assert "\n" not in shown
    assert not [part for part in SECRETS if part in shown]


def test_a_slash_in_a_password_is_percent_encoded() -> None:
    assert BrokerAddress.parse("mqtt://nurse:a%2Fb%23c@ward").password == "a/b#c"
    with pytest.raises(UsageError, match="%2F"):
        BrokerAddress.parse("mqtt://nurse:a/b@ward")


@pytest.mark.parametrize(
    "url",
    ["", "ward", "http://ward", "mqtt://", "mqtt://nurse:secret@", "mqtt://ward:port", "mqtt://ward:99999",
     "mqtt://ward:0", "mqtt://ward#x", "mqtt://nurse:secret@ward/path"],
)  # fmt: skip
def test_a_malformed_url_is_a_one_line_error_without_the_password(url: str) -> None:
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
