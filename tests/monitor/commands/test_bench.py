from monitor.arguments.parser import parser
from stream.records.wfdb_reader import load


def test_the_default_record_of_bench_gui_has_two_leads() -> None:
    assert len(load(parser().parse_args(["bench", "gui"]).record).leads) == 2
