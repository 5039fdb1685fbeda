import pytest

from stream.errors import UsageError
from stream.records.catalog import Catalog
from stream.records.episodes import Episode, choose, counts, from_csv, named, shipped, to_csv
from stream.records.library import Library


def episode(rhythm: str = "VT", record: str = "mitdb/205", start_s: float = 100.0, **changes: object) -> Episode:
    fields = {"end_s": start_s + 10, "rate": 150.5, "leads": ("MLII", "V1"), "quality": 1.0, **changes}
    return Episode(rhythm=rhythm, record=record, start_s=start_s, **fields)  # type: ignore[arg-type]


def test_the_shipped_table_is_valid_and_has_the_lethal_rhythms() -> None:
    table = shipped()
    assert from_csv(to_csv(table)) == table
    assert all(0 <= one.start_s < one.end_s and 0 <= one.quality <= 1 for one in table)
    # Of mitdb by its rhythm annotations: six intervals of flutter, all in record 207.
    assert [one.record for one in table if one.rhythm == "VFL" and one.record.startswith("mitdb")] == ["mitdb/207"] * 6
    assert {"VT", "VF", "VFL", "ASYS", "BRADY", "AFIB", "SVTA", "N"} <= counts(table).keys()


def test_a_long_one_with_a_good_signal_and_a_lead_in_is_chosen() -> None:
    best = episode(record="mitdb/203", end_s=125.0)
    others = [
        episode(),
        episode(start_s=19.0, end_s=60.0),
        episode(end_s=160.0, quality=0.5),
        episode("VF", end_s=160.0),
        episode(record="mitdb/223", end_s=125.0),
    ]
    assert choose([others[0], best, *others], "VT") is best
    with pytest.raises(UsageError, match="'ASYS' is at hand; there is VT, VF"):
        choose(others, "ASYS")
    with pytest.raises(UsageError, match="fetch"):
        choose([], "VT")


def test_a_fast_one_is_chosen_and_then_the_others_that_fit_in_turn() -> None:
    slow = episode(rate=104.0, end_s=160.0)
    after_another = episode(start_s=320.0, rate=220.0)
    fast = [episode(start_s=300.0, rate=181.0), episode(record="mitdb/203", rate=200.0, end_s=104.0)]
    short = episode(record="mitdb/203", start_s=500.0, end_s=502.0, rate=210.0)
    unknown = episode(record="vfdb/420", rate=None, end_s=160.0)
    table = [slow, after_another, *fast, short, unknown]
    assert [choose(table, "VT", turn) for turn in range(3)] == [fast[1], fast[0], fast[1]]
    assert choose([slow, short, unknown], "VT") is unknown, "rather than a slow one"


def test_an_exact_episode_has_the_rhythm_of_the_table() -> None:
    assert named([episode()], "mitdb/205", 100.0, 103.0, None).rhythm == "VT"
    both = [episode("N", start_s=90.0), episode()]
    assert named(both, "mitdb/205", 99.0, 103.0, None).rhythm == "VT", "most of it"
    assert named(both, "mitdb/205", 110.0, 113.0, None).rhythm == "?"
    assert named([episode()], "mitdb/205", 100.0, 103.0, "VF").rhythm == "VF"


def test_a_library_has_episodes_of_records_on_disk_and_no_paths(tmp_path, mitdb_dir) -> None:  # type: ignore[no-untyped-def]
    nothing = Library(Catalog(cache_dir=tmp_path))
    assert nothing.episodes() == ()
    library = Library(Catalog(data_dir=mitdb_dir, cache_dir=tmp_path))
    assert {one.record for one in library.episodes()} >= {"mitdb/205", "mitdb/207"}
    assert library.has("mitdb/205")
    assert not library.has(str(mitdb_dir / "mitdb" / "205"))
    assert not library.has("../shared/data/mitdb/205")
