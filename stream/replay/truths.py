"""A message of truth about a bed at a sample, for all that is done to it. Pure."""

from __future__ import annotations

from typing import Any

from stream.replay.playhead import Playhead
from stream.wire.truth_message import Truth


def truth_of(head: Playhead, index: int, when: str, **fields: Any) -> Truth:
    """Return a message about a bed.

    Parameters
    ----------
    head : Playhead
        Of the bed.
    index : int
        Sample of the session where it takes effect.
    when : str
        Wall time.
    **fields
        The others of `stream.wire.truth_message.Truth`.
    """
    return Truth(
        bed=head.bed,
        session=head.session,
        epoch=head.epoch,
        index=index,
        when=when,
        synthetic=head.record.synthetic,
        **fields,
    )
