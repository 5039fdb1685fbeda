"""The errors that a user of bedside can cause.

    BedsideError
    ├── UsageError        (ValueError)       an invalid name, number or option
    ├── RecordError       (ValueError)       a recording that is unknown, damaged or unreadable
    │   └── SourceError   (ConnectionError)  a recording that could not be obtained
    ├── BrokerError       (ConnectionError)  a broker that cannot be reached or refuses
    ├── MessageError      (ValueError)       a payload that is not a valid message of its topic
    ├── WeightsError      (ValueError)       network weights that do not load
    └── StorageError      (OSError)          a file that cannot be written or read

Each text is one line: what is wrong, with the value, and what to do. The ``bedside`` command prints it and ends
with status 2.
"""

from __future__ import annotations

from typing import ClassVar


class BedsideError(Exception):
    """Base of all errors that a user can cause and correct.

    Attributes
    ----------
    status : int
        Exit status of a command that ends with this error.
    """

    status: ClassVar[int] = 2


class UsageError(BedsideError, ValueError):
    """An invalid name, number or option."""


class RecordError(BedsideError, ValueError):
    """A recording that is unknown, damaged or unreadable."""


class SourceError(RecordError, ConnectionError):
    """A recording that is not on disk and could not be downloaded."""


class BrokerError(BedsideError, ConnectionError):
    """A broker that cannot be reached or refuses this client.

    Attributes
    ----------
    problem : str
        Error text of the network or the broker; empty if unknown.
    refused : bool
        True if the broker was reached and refused user name or password.
    """

    def __init__(self, text: str, *, problem: str = "", refused: bool = False) -> None:
        super().__init__(text)
        self.problem, self.refused = problem, refused


class MessageError(BedsideError, ValueError):
    """A payload that is not a valid message of its topic."""


class WeightsError(BedsideError, ValueError):
    """Network weights that are missing, damaged or of another architecture."""


class StorageError(BedsideError, OSError):
    """A file or database that cannot be read or written."""
