import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import MessageError
from stream.wire.continuity import Continuity, SequenceCheck, check_sequence
from tests.waveforms import chunk


@given(st.lists(st.integers(0, 30), max_size=60))
def test_every_sample_is_processed_once_or_counted_as_lost(seqs: list[int]) -> None:
    """For any order and repetition, processed plus lost samples are those between the first and the last."""
    last: Continuity | None = None
    processed: list[int] = []
    lost = 0
    for seq in seqs:
        arrival, last = check_sequence(last, chunk(seq))
        if not arrival.duplicate:
            processed.append(seq)
            lost += arrival.lost_samples
    assert processed == sorted(set(processed))
    if processed:
        assert len(processed) * 36 + lost == (processed[-1] - processed[0] + 1) * 36


def test_the_first_chunk_is_discontinuous_without_loss() -> None:
    arrival, last = check_sequence(None, chunk(7))
    assert arrival == SequenceCheck(discontinuous=True)
    assert check_sequence(last, chunk(8))[0] == SequenceCheck()


def test_a_gap_is_reported_as_a_discontinuity() -> None:
    _, last = check_sequence(None, chunk(7))
    assert check_sequence(last, chunk(10))[0] == SequenceCheck(discontinuous=True, lost_samples=72)


def test_a_new_epoch_or_other_leads_are_a_discontinuity_without_a_gap() -> None:
    _, last = check_sequence(None, chunk(7))
    assert check_sequence(last, chunk(8, epoch=1, epoch_start=8 * 36))[0] == SequenceCheck(discontinuous=True)
    assert check_sequence(last, chunk(8, leads=("V1",)))[0] == SequenceCheck(discontinuous=True)


@pytest.mark.parametrize("changes", [{"start": 200}, {"start": 400}, {"epoch_start": 0, "epoch": 0, "start": 0}])
def test_a_contradictory_chunk_is_rejected(changes: dict) -> None:
    _, last = check_sequence(None, chunk(7))
    with pytest.raises(MessageError, match="contradicts"):
        check_sequence(last, chunk(8, **changes))
