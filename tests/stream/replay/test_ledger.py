from pathlib import Path

import pytest

from stream.errors import StorageError
from stream.replay.ledger import ledger


def test_each_row_is_flushed(tmp_path: Path) -> None:
    """The ledger of a killed process is complete."""
    with ledger(tmp_path / "ledger.csv", "bed", "seq") as write:
        write("bed-1", 7)
        assert (tmp_path / "ledger.csv").read_text() == "bed,seq\nbed-1,7\n"


def test_without_a_path_rows_are_discarded() -> None:
    with ledger(None, "bed") as write:
        write("bed-1")


def test_an_unwritable_ledger_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="--ledger"), ledger(tmp_path / "missing" / "ledger.csv", "a"):
        pass


def test_a_full_disk_is_a_one_line_error() -> None:
    with (
        pytest.raises(StorageError, match=r"ledger full cannot be written.*make room"),
        ledger(Path("/dev/full"), "bed"),
    ):
        raise AssertionError("the first line could not be written")
