import logging
from pathlib import Path

import pytest

from stream.records.catalog import Catalog
from stream.records.library import Library


@pytest.fixture
def library(mitdb_dir: Path, tmp_path: Path) -> Library:
    """Provide a library with two records on disk, one of them damaged."""
    (tmp_path / "mitdb").mkdir()
    for suffix in (".hea", ".dat", ".atr"):
        (tmp_path / f"mitdb/203{suffix}").symlink_to(mitdb_dir / f"mitdb/203{suffix}")
    (tmp_path / "mitdb/100.hea").write_text("damaged")
    return Library(Catalog(data_dir=tmp_path, cache_dir=tmp_path / "cache"))


def test_records_on_disk_have_duration_and_rhythms(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "bedside.records"):
        listing = {listed.name: (listed.where, offer) for listed, offer in library.listing()}
    where, offer = listing["mitdb/203"]
    assert where == "local folder"
    assert offer is not None
    assert (round(offer.seconds, 1), offer.rhythms) == (1805.6, ("AFIB", "AFL", "VT", "T"))
    assert listing["mitdb/208"] == ("not yet", None)
    assert listing["mitdb/100"] == ("local folder", None)
    (record,) = caplog.records
    assert record.message.startswith("record mitdb/100 cannot be read: ")
