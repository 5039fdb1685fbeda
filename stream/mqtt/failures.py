"""Errors of a connection attempt: which of them are permanent, and their texts."""

from __future__ import annotations

import ssl

from stream.errors import BrokerError
from stream.mqtt import tls
from stream.mqtt.address import BrokerAddress
from stream.mqtt.connection import NoAnswerError, RefusedTopicError, is_refusal


def permanent_failure(problem: BaseException, address: BrokerAddress) -> BrokerError | None:
    """Return the error for a problem that no further attempt can solve, else None."""
    if isinstance(problem, UnicodeError):
        return unreachable(problem, address)
    if is_refusal(problem):
        advice = "check user name and password"
        if isinstance(problem, RefusedTopicError):
            advice = "check the broker's access control list, and the user name"
        text = f"broker {address} refuses this client ({problem}): {advice}"
        return BrokerError(text, problem=str(problem), refused=True)
    explanation = tls.explanation(tls.cause_of(problem), address)
    if explanation is None:
        return None
    return BrokerError(f"broker {address} cannot be used: {explanation}", problem=explanation)


def unreachable(problem: BaseException, address: BrokerAddress) -> BrokerError:
    """Return the error for a broker that did not answer in time."""
    advice = "check --broker, or start one with 'bedside broker'"
    if isinstance(problem, NoAnswerError) and not address.tls:
        advice = "if it expects TLS, write mqtts:// instead of mqtt://"
    elif isinstance(tls.cause_of(problem), ConnectionResetError | ssl.SSLEOFError) and address.tls:
        advice = "if it does not use TLS on this port, write mqtt:// instead of mqtts://"
    return BrokerError(f"broker {address} cannot be reached ({problem}): {advice}", problem=str(problem))
