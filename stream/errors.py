"""The errors that a user of bedside can meet.

    BedsideError
    ├── UsageError        (ValueError)       a name, number or option that cannot be
    ├── RecordError       (ValueError)       a recording that is unknown, damaged or unreadable
    │   └── SourceError   (ConnectionError)  a recording that no source could deliver
    ├── BrokerError       (ConnectionError)  a broker that cannot be reached, or refuses
    ├── MessageError      (ValueError)       a payload that is not the message its topic promises
    ├── CheckpointError   (ValueError)       network weights that do not load
    └── StorageError      (OSError)          a file that cannot be written or read

Each text is one line: what is wrong, with the value, and what to do. The ``bedside`` command prints it and ends
with status 2.
"""

from __future__ import annotations

from typing import ClassVar


class BedsideError(Exception):
    """Anything that a user can cause and mend.

    Attributes
    ----------
    status : int
        Exit status of a command that ends with this error.
    """

    status: ClassVar[int] = 2


class UsageError(BedsideError, ValueError):
    """A name, number or option that cannot be."""


class RecordError(BedsideError, ValueError):
    """A recording that is unknown, damaged or unreadable."""


class SourceError(RecordError, ConnectionError):
    """A recording that no source could deliver: not on disk, and the network did not answer."""


class BrokerError(BedsideError, ConnectionError):
    """A broker that cannot be reached, or refuses this client.

    Attributes
    ----------
    problem : str
        What the network or the broker answered; empty where that is not known.
    refused : bool
        The broker was reached, and refuses user name or password.
    """

    def __init__(self, text: str, *, problem: str = "", refused: bool = False) -> None:
        super().__init__(text)
        self.problem, self.refused = problem, refused


class MessageError(BedsideError, ValueError):
    """A payload that is not the message its topic promises."""


class CheckpointError(BedsideError, ValueError):
    """Network weights that are missing, damaged or made for another network."""


class StorageError(BedsideError, OSError):
    """A file or database that cannot be read or written."""
