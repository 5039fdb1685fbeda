from pathlib import Path

import pytest

from stream.errors import StorageError
from stream.replay.ledger import ledger


def test_a_line_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    """A process that is killed leaves its ledger behind."""
    with ledger(tmp_path / "ledger.csv", "bed", "seq") as write:
        write("bed-1", 7)
        assert (tmp_path / "ledger.csv").read_text() == "bed,seq\nbed-1,7\n"


def test_without_a_path_nothing_is_written() -> None:
    with ledger(None, "bed") as write:
        write("bed-1")


def test_a_ledger_that_cannot_be_written_is_one_helpful_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="--ledger"), ledger(tmp_path / "missing" / "ledger.csv", "a"):
        pass
