from pathlib import Path

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


def test_the_files_of_a_url() -> None:
    address = BrokerAddress.parse("mqtts://ward?ca=certs/ca%20one.crt&cert=/c/a.crt&key=/c/a.key")
    assert (address.ca, address.cert, address.key) == (Path("certs/ca one.crt"), Path("/c/a.crt"), Path("/c/a.key"))
    assert str(address) == "mqtts://ward:8883"


@pytest.mark.parametrize("query", ["secret", "password=secret", "ca", "ca=a&secret=b", "ca=", "=secret"])
def test_an_unknown_part_of_the_query_is_an_error_that_does_not_repeat_it(query: str) -> None:
    with pytest.raises(UsageError, match="ca=FILE") as error:
        BrokerAddress.parse(f"mqtts://ward?{query}")
    assert "secret" not in str(error.value)


def test_the_password_is_the_only_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    for content, password in ((b"s3cret\n", "s3cret"), (b"a b \r\n", "a b "), ("pä".encode(), "pä")):
        file.write_bytes(content)
        address = BrokerAddress.parse(f"mqtt://nurse@ward?password-file={file}")
        assert address.password == password
        assert password not in f"{address!r} {address}"
    for content in (b"", b"\n", b"s3cret\nmore\n", b"\xff\xfe", b"x" * 65_536):
        file.write_bytes(content)
        with pytest.raises(UsageError, match="password file") as error:
            BrokerAddress.parse(f"mqtt://nurse@ward?password-file={file}")
        assert "s3cret" not in str(error.value)


def test_a_password_file_needs_a_user_and_no_other_password(tmp_path: Path) -> None:
    for user in ("", "nurse:secret@"):
        with pytest.raises(UsageError, match="password"):
            BrokerAddress.parse(f"mqtt://{user}ward?password-file={tmp_path}/x")


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("BROKER", "PASSWORD", "PASSWORD_FILE", "CA", "CERT", "KEY"):
        monkeypatch.delenv(f"BEDSIDE_{name}", raising=False)
    return monkeypatch


def test_options_come_before_the_url_and_the_url_before_the_environment(clean_environment: pytest.MonkeyPatch) -> None:
    for name in ("CA", "CERT", "KEY"):
        clean_environment.setenv(f"BEDSIDE_{name}", f"env.{name.lower()}")

    def files(url: str, options: dict[str, str]) -> tuple[str, ...]:
        address = BrokerAddress.from_environment(url, options)
        return tuple(str(path) for path in (address.ca, address.cert, address.key))

    assert files("mqtts://ward", {}) == ("env.ca", "env.cert", "env.key")
    assert files("mqtts://ward?ca=url.ca", {}) == ("url.ca", "env.cert", "env.key")
    assert files("mqtts://ward?ca=url.ca", {"ca": "option.ca"}) == ("option.ca", "env.cert", "env.key")
    assert files("mqtts://ward", {"key": "option.key"}) == ("env.ca", "env.cert", "option.key")
    assert files("mqtts://ward", {"cert": "both.pem"}) == ("env.ca", "both.pem", "None"), "not the key of another pair"


def test_the_environment_applies_only_where_it_can(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demo on loopback runs in a shell that is set up for the ward."""
    clean_environment.setenv("BEDSIDE_CA", "ca.crt")
    clean_environment.setenv("BEDSIDE_PASSWORD", "s3cret")
    plain = BrokerAddress.from_environment("mqtt://127.0.0.1:1883")
    assert (plain.ca, plain.password) == (None, None)
    assert BrokerAddress.from_environment("mqtt://nurse@ward").password == "s3cret"
    assert BrokerAddress.from_environment("mqtt://nurse:own@ward").password == "own"
    file = tmp_path / "password"
    file.write_text("from the file")
    assert BrokerAddress.from_environment("mqtt://nurse@ward", {"password-file": str(file)}).password == "from the file"
    clean_environment.delenv("BEDSIDE_PASSWORD")
    clean_environment.setenv("BEDSIDE_PASSWORD_FILE", str(file))
    assert BrokerAddress.from_environment("mqtt://nurse@ward").password == "from the file"
    assert BrokerAddress.from_environment("mqtt://ward").password is None


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_certificates_need_an_encrypted_connection(name: str) -> None:
    with pytest.raises(UsageError, match="mqtts://"):
        BrokerAddress.parse(f"mqtt://ward?{name}=x.pem")


def test_a_key_needs_a_certificate() -> None:
    with pytest.raises(UsageError, match="--cert"):
        BrokerAddress.parse("mqtts://ward?key=x.pem")
