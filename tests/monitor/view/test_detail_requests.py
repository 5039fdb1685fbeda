from monitor.view.detail_requests import ANSWER_NS, FRAME_NS, DetailRequests, DrawnBeds
from monitor.view.link import LinkState
from stream.wire.detail import RENEW_S
from tests.monitor.message_samples import SECOND, T0, process, received, status
from tests.monitor.view.scenario import ONLINE, Scenario

WARD = tuple(f"bed-{number}" for number in range(1, 66))


def test_each_bed_is_asked_for_at_once_and_then_again_and_again() -> None:
    requests = DetailRequests()
    times = [T0 + frame * SECOND // 60 for frame in range(60 * 25)]
    asked = [now for now in times for bed in requests.due(["bed-1"], now)]
    assert [round((now - T0) / SECOND) for now in asked] == [0, RENEW_S, 2 * RENEW_S]


def test_a_bed_that_was_not_drawn_meanwhile_is_asked_for_at_once() -> None:
    requests = DetailRequests()
    assert requests.due(["bed-1"], T0) == ("bed-1",)
    assert requests.due(["bed-2", "bed-1"], T0 + SECOND) == ("bed-2",)
    assert requests.due(["bed-2"], T0 + 2 * SECOND) == ()
    assert requests.due(["bed-1"], T0 + 3 * SECOND) == ("bed-1",)


def test_a_clock_that_was_set_back_stops_no_request() -> None:
    requests = DetailRequests()
    assert requests.due(["bed-1"], T0) == ("bed-1",)
    assert requests.due(["bed-1"], T0 - 3600 * SECOND) == ("bed-1",)


def test_a_bed_must_send_once_it_has_been_drawn_for_a_while() -> None:
    drawn = DrawnBeds()
    assert not drawn.expected("bed-1", T0)
    for now in range(T0, T0 + 2 * ANSWER_NS, FRAME_NS // 2):
        drawn.mark("bed-1", now)
        assert drawn.expected("bed-1", now) == (now - T0 > ANSWER_NS)
    assert not drawn.expected("bed-1", now + 2 * FRAME_NS)
    drawn.mark("bed-1", now + 2 * FRAME_NS)
    assert not drawn.expected("bed-1", now + 2 * FRAME_NS), "it begins anew"


def test_a_bed_of_a_large_ward_that_is_not_drawn_is_not_said_to_have_no_data() -> None:
    """It sends in full only while somebody asks for it."""
    scenario = Scenario().stream(20)
    presenter = scenario.presenter
    for message in (process("publisher", beds=WARD), status("publisher", "playing")):
        presenter.process(received(message, scenario.now))
    assert not presenter.in_full("bed-1")
    for tenths in range(80):
        frame = presenter.frame(scenario.now + tenths * SECOND // 10, "bed-1", ONLINE)
    assert frame.link.state is LinkState.NO_DATA, "it is drawn, and was asked for"
    later = presenter.frame(scenario.now + 20 * SECOND, "bed-1", ONLINE)
    assert later.link.state is LinkState.WAITING, "it was not drawn meanwhile"
    presenter.process(received(process("publisher", beds=WARD[:64]), scenario.now))
    assert presenter.in_full("bed-1")
    assert presenter.frame(scenario.now + 21 * SECOND, "bed-1", ONLINE).link.state is LinkState.NO_DATA


def test_a_worker_of_a_large_ward_counts_too() -> None:
    scenario = Scenario().stream(3)
    for beds, shards, in_full in ((64, 1, True), (65, 1, False), (20, 4, False), (16, 4, True)):
        scenario.presenter.process(received(process("worker", beds=WARD[:beds], shards=shards), scenario.now))
        scenario.presenter.process(received(status("worker", "forecasting"), scenario.now))
        assert scenario.presenter.in_full("bed-1") == in_full
