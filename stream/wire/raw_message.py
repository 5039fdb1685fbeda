"""A message as a broker delivers it, undecoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it was delivered.

    Attributes
    ----------
    topic : str
    payload : bytes
        Of one that exceeds the limit of its topic by far, at least the beginning.
    qos : int or None
        0 or 1: the lower one of those of publication and subscription; None if the broker does not say it.
    retain : bool or None
        The flag as published; None if the broker does not say it.
    stored : bool
        Whether the broker had retained it before the subscription.
    received_ns, monotonic_ns : int
        Unix time and monotonic time in ns.
    """

    topic: str
    payload: bytes
    qos: int | None
    retain: bool | None
    stored: bool
    received_ns: int
    monotonic_ns: int
