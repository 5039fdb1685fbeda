import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from stream.wire.plain_text import plain


@given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    assert not [c for c in plain(text) if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    assert "\u202e" not in plain(text)


def test_escapes_are_visible_and_readable_text_is_unchanged() -> None:
    assert plain("\x1b[2Jmitdb/208\n\x9b1m\u202e") == r"\u001b[2Jmitdb/208\u000a\u009b1m\u202e"
    for text in ("mitdb/208", "看護師 1", "Müller", "−0.5 mV → ♥", '<img src="x">'):
        assert plain(text) == text


@given(st.text())
def test_a_line_of_json_stays_valid_and_means_the_same(text: str) -> None:
    line = json.dumps({"record": text}, ensure_ascii=False)
    assert json.loads(plain(line)) == {"record": text}
