"""Stored events are printed for readers that stall and leave, on real pipes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from monitor.alarm_log.printer import EventPrinter
from monitor.alarm_log.store import AlarmLog
from stream.wire.alarm_messages import Alarm
from tests.monitor.alarm_log.test_store import alarm
from tests.system.commands import wait_until

MANY = 400
"""Their lines are longer than a pipe takes."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # the test has closed it


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AlarmLog]:
    with AlarmLog(tmp_path / "a.sqlite") as log:
        yield log


def add(store: AlarmLog, printer: EventPrinter, first: int, last: int) -> None:
    for number in range(first, last):
        store.add([(alarm(number), 0)])
        printer.wake()


def read_onsets(fd: int, count: int) -> list[int]:
    """Read lines from a pipe until there are `count`."""
    received = b""
    while received.count(b"\n") < count:
        received += os.read(fd, 65536)
    return [msgspec.json.decode(line, type=Alarm).onset for line in received.splitlines()]


def test_a_reader_that_stalls_and_resumes_misses_no_event(store: AlarmLog, pipe: tuple[int, int]) -> None:
    store.add([(alarm(10_000), 0)])  # before it was started: not printed
    with EventPrinter(store, pipe[1]) as printer:
        add(store, printer, 0, MANY)
        assert len(store.events()) == MANY + 1, "stored while nobody reads"
        assert read_onsets(pipe[0], MANY) == list(range(MANY))
        add(store, printer, MANY, MANY + 3)
        assert read_onsets(pipe[0], 3) == [MANY, MANY + 1, MANY + 2]
    assert not printer.failed


def test_what_a_stalled_reader_has_not_read_at_the_end_is_reported(
    store: AlarmLog, pipe: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    with EventPrinter(store, pipe[1]) as printer:
        add(store, printer, 0, MANY)
    (message,) = [record.getMessage() for record in caplog.records]
    number = int(message.partition("after number ")[2].split()[0])
    assert 0 < number < MANY
    assert not printer.failed
    # The thread, which would end with the process, ends with its reader.
    onsets = read_onsets(pipe[0], number)
    assert onsets[:number] == list(range(number))
    os.close(pipe[0])


def test_a_reader_that_leaves_is_reported_once_and_ends_only_the_printing(
    store: AlarmLog, pipe: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    with EventPrinter(store, pipe[1]) as printer:
        add(store, printer, 0, 1)
        assert read_onsets(pipe[0], 1) == [0]
        os.close(pipe[0])
        add(store, printer, 1, 2)
        wait_until(lambda: printer.failed, "the failure")
        add(store, printer, 2, 10)
    assert len(store.events()) == 10
    (message,) = [record.getMessage() for record in caplog.records]
    assert "its reader has left" in message


def test_an_output_that_cannot_be_written_ends_only_the_printing(
    store: AlarmLog, caplog: pytest.LogCaptureFixture
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with EventPrinter(store, full) as printer:
            add(store, printer, 0, 1)
    finally:
        os.close(full)
    assert printer.failed
    assert "No space left" in caplog.text
