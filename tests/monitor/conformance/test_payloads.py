"""One message by itself: what our encoders write fits, and what our decoder refuses does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.conformance import rules
from monitor.conformance.findings import Findings
from monitor.conformance.payloads import read
from stream.errors import MessageError
from stream.wire import codec
from stream.wire.messages import Message
from stream.wire.raw_message import RawMessage
from stream.wire.topics import QOS, RETAINED
from tests.stream.wire.test_codec import MESSAGES


def found(message: Message, payload: bytes) -> set[str]:
    """Return the rules that a payload on the topic of a message violates."""
    topic, findings = codec.topic_of(message), Findings()
    raw = RawMessage(str(topic), payload, QOS[topic.kind], topic.kind in RETAINED, False, 0, 0)
    read(raw, findings.note(str(topic)))
    return {finding.rule.name for finding in findings.violations} - {rules.WHEN.name}


@pytest.mark.parametrize("kind", sorted({type(message).__name__ for message in MESSAGES}))
def test_what_our_encoders_write_fits(kind: str) -> None:
    for message in MESSAGES:
        if type(message).__name__ == kind:
            assert found(message, codec.encode(message)) == set()


@given(st.sampled_from(MESSAGES), st.integers(0, 10_000), st.integers(0, 255))
def test_whatever_our_decoder_takes_our_encoder_writes_it_so_that_it_fits(
    message: Message, position: int, value: int
) -> None:
    """The decoder takes more than the schema: it does not ask for the version, and skips unknown fields unread."""
    topic, payload = codec.topic_of(message), bytearray(codec.encode(message))
    payload[position % len(payload)] = value
    try:
        decoded = codec.decode(topic, bytes(payload))
    except MessageError:
        assert found(message, bytes(payload)), "a consumer refuses it"
    else:
        assert decoded is not None
        assert found(decoded, codec.encode(decoded)) == set()
