"""Reads scenario files: TOML, checked completely; an error is one line with file, line and key."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from stream.errors import BedsideError, UsageError
from stream.records.episodes import counts
from stream.records.episodes import shipped as shipped_episodes
from stream.records.synthetic.patient import RANGES, Patient
from stream.records.synthetic.steering import shifted, with_rhythm, with_vitals
from stream.scenario.scenario import After, Bed, Place, Scenario, Step
from stream.scenario.timeline import advance, begin
from stream.timebase import FS
from stream.wire import validation_errors
from stream.wire.injection_kinds import check_injection, check_seconds

SHIPPED = files("stream.scenario").joinpath("shipped")
"""The scenarios of this package."""

SETTLED_S = 60.0
"""Time for which a patient has been as it is at the start, s: the saturation at the finger is that of the past."""

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


def shipped() -> dict[str, Scenario]:
    """Return the scenarios of this package by name, in alphabetical order."""
    found = sorted(entry.name for entry in SHIPPED.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _shipped(name) for name in found}


def load(name: str) -> Scenario:
    """Return a scenario of this package by its name, or another one by the path of its file.

    Raises
    ------
    UsageError
        There is none, or its file has an error: the line, the key, and what is wrong.
    """
    if re.fullmatch(r"[a-z0-9-]+", name) and SHIPPED.joinpath(f"{name}.toml").is_file():
        return _shipped(f"{name}.toml")
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        names = ", ".join(sorted(entry.name[:-5] for entry in SHIPPED.iterdir() if entry.name.endswith(".toml")))
        reason = getattr(error, "strerror", None) or "is no text in UTF-8"
        raise UsageError(f"scenario {name!r}: {reason}; give the path of a file, or one of {names}") from None
    return parse(text, path.name)


def _shipped(file: str) -> Scenario:
    return parse(SHIPPED.joinpath(file).read_text(encoding="utf-8"), file)


def parse(text: str, file: str) -> Scenario:
    """Return the scenario of a text; ``file`` is its name in errors.

    Raises
    ------
    UsageError
        The line, the key, and what is wrong.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
        where, what = (f"line {place[2]}", place[1]) if place else ("last line", str(error).split(" (at")[0])
        raise UsageError(f"{file} {where}: no TOML: {what}") from None
    try:
        scenario = msgspec.convert(table, Scenario)
    except msgspec.ValidationError as error:
        key, what = _readable(str(error))
        raise _error(text, file, key, what + _value_in_words(table, key)) from None
    for key, check in _checks(scenario):
        try:
            check()
        except _KeyError as error:
            raise _error(text, file, f"{key}.{error.key}", error.what) from None
        except (BedsideError, ValueError) as error:
            raise _error(text, file, key, str(error)) from None
    return scenario


class _KeyError(Exception):
    """An error of one key of a table."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key, self.what = key, what


def _error(text: str, file: str, key: str, what: str) -> UsageError:
    return UsageError(f"{file} line {_line_of(text, key)}: {key or 'the file'} {what}")


def _readable(error: str) -> tuple[str, str]:
    """Return the key, and what is wrong with it, from what `msgspec` says."""
    what, key = validation_errors.split(error)
    if unknown := _UNKNOWN.fullmatch(what):
        found = validation_errors.type_at(Scenario, key)
        names = [field.name for field in found.fields] if isinstance(found, msgspec.inspect.StructType) else []
        return f"{key}.{unknown[1]}".removeprefix("."), f"is not known: one of {', '.join(names)}"
    if choice := validation_errors.unknown_choice(error, Scenario):
        value, what = choice
        is_key = isinstance(validation_errors.type_at(Scenario, key), msgspec.inspect.DictType)
        return f"{key}.{value}" if is_key else key, what
    return key, what[0].lower() + what[1:].replace("`", "")


def _value_in_words(table: Any, key: str) -> str:
    """Return the value at a key, if it is short and was not named yet."""
    parts = _parts(key)
    if not parts or not _has(table, parts):
        return ""
    for part in parts:
        table = table[part]
    return f", not {table!r}" if isinstance(table, int | float) else ""


def _parts(key: str) -> list[str | int]:
    return [int(part[1:-1]) if part[0] == "[" else part for part in re.findall(r"[^.\[\]]+|\[\d+\]", key)]


def _line_of(text: str, key: str) -> int:
    """Return the line at which a key stands, or the last part of it that does.

    TOML reads from top to bottom, and a file that ends after any complete statement is TOML, too. So the line of a key
    is that after the longest beginning of the file that can be read and does not have it.
    """
    parts = _parts(key)
    lines = text.splitlines(keepends=True)
    whole = tomllib.loads(text)
    while parts and not _has(whole, parts):
        parts.pop()
    found = bisect_left(range(len(lines)), True, key=lambda end: _has(_beginning(lines, end)[1], parts))
    return _beginning(lines, found - 1)[0] + 1 if found else 1


def _beginning(lines: list[str], stop: int) -> tuple[int, Any]:
    """Return how many of the first ``stop`` lines can be read, as many as possible, and what they say."""
    for end in range(stop, 0, -1):
        with suppress(tomllib.TOMLDecodeError):
            return end, tomllib.loads("".join(lines[:end]))
    return 0, {}


def _has(table: Any, parts: list[str | int]) -> bool:
    for part in parts:
        if not (part in table if isinstance(table, Mapping) else isinstance(table, list) and part in range(len(table))):
            return False
        table = table[part]
    return True


# --- what types cannot express ----------------------------------------------------------------------------------------


def _checks(scenario: Scenario) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield a check of each part, with its key; each relies on those before it."""
    names = [bed.name for bed in scenario.beds]
    for number, bed in enumerate(scenario.beds):
        yield f"beds[{number}]", partial(_check_bed, bed, names[:number])
    for number, step in enumerate(scenario.steps):
        yield f"steps[{number}]", partial(_check_step, scenario, step, number)
    for bed in scenario.beds:
        if bed.record is None:
            yield from _course_checks(scenario, bed)


def _course_checks(scenario: Scenario, bed: Bed) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield a check of each step with vitals of a synthetic bed: pressures may contradict each other over time."""
    steps = scenario.steps_of(bed.name)
    numbers = [number for number, step in enumerate(scenario.steps) if scenario.bed_of(step) == bed.name]
    patient = initial_patient(bed)

    def check(step: Step, at_s: float) -> None:
        nonlocal patient
        with _of_key("vitals"):
            patient = with_vitals(patient, step.vitals, step.ramp_s, at_s)

    for one in advance(steps, begin(steps, bed.rhythm), scenario.samples)[1]:
        if one.kind == "step" and steps[one.step].vitals:
            yield f"steps[{numbers[one.step]}]", partial(check, steps[one.step], one.at / FS)


def initial_patient(bed: Bed) -> Patient:
    """Return the synthetic patient of a bed at its start.

    Raises
    ------
    UsageError
        A value is out of range.
    """
    patient = with_rhythm(Patient(), bed.rhythm, bed.rate, 0.0)
    return shifted(with_vitals(patient, bed.vitals, 0.0, 0.0), SETTLED_S)


def _check_bed(bed: Bed, before: list[str]) -> None:
    if bed.name in before:
        raise _KeyError("name", f"{bed.name!r} is another bed: give each its own")
    if bed.record is not None:
        for key in ("rhythm", "rate", "vitals"):
            if getattr(bed, key) != getattr(Bed(), key):
                raise _KeyError(key, f"cannot be given to a record: leave {key} or record out")
        return
    if bed.start_s:
        raise _KeyError("start_s", "is a place in a record: a synthetic patient has none")
    with _of_key("vitals"):
        initial_patient(bed)


@contextmanager
def _of_key(key: str) -> Iterator[None]:
    """Say at which key of the table an error is."""
    try:
        yield
    except ValueError as error:
        raise _KeyError(key, str(error)) from None


def _check_step(scenario: Scenario, step: Step, number: int) -> None:
    beds = {bed.name: bed for bed in scenario.beds}
    if step.bed is None and len(beds) > 1:
        raise _KeyError("bed", f"is missing: one of {', '.join(beds)}")
    if step.bed is not None and step.bed not in beds:
        raise _KeyError("bed", f"{step.bed!r} is not known: one of {', '.join(beds)}")
    bed = beds[step.bed] if step.bed is not None else scenario.beds[0]
    if (step.at_s is None) == (step.after is None):
        raise ValueError("needs either at_s or after")
    if step.at_s is not None and step.at_s > scenario.seconds:
        raise _KeyError("at_s", f"of {step.at_s:g} is after the end: seconds is {scenario.seconds:g}")
    if step.name is not None and any(step.name == other.name for other in scenario.steps[:number]):
        raise _KeyError("name", f"{step.name!r} is another step: give each its own")
    if step.after is not None:
        _check_after(scenario, step.after, bed.name, number)
    if bed.record is not None:
        for key in ("rhythm", "rate", "vitals", "ramp_s"):
            if getattr(step, key):
                raise _KeyError(key, f"cannot be given to a record: bed {bed.name} replays {bed.record}")
        _check_episode(step)
    else:
        if step.episode is not None:
            raise _KeyError("episode", f"cannot be given to a synthetic patient: give bed {bed.name} a rhythm")
        _check_patient(step)
    if step.then is not None and step.episode is None:
        raise _KeyError("then", "is what follows an episode: give episode")
    if step.inject is not None:
        one = step.inject
        with _of_key("inject"):
            check_injection(one.kind, one.signal, one.lead, one.level, one.hz)
            check_seconds(one.kind, one.seconds)
    injecting = {other.name for other in scenario.steps_of(bed.name) if other.inject is not None}
    if step.stop is not None and step.stop not in injecting:
        raise _KeyError("stop", f"{step.stop!r} is no step of bed {bed.name} with an injection")
    if not any((step.rhythm, step.vitals, step.episode, step.inject, step.stop, step.note, step.expect)):
        raise ValueError("does nothing: give rhythm, vitals, episode, inject, stop, note or expect")


def _check_patient(step: Step) -> None:
    if step.rate is not None and step.rhythm is None:
        raise _KeyError("rate", "is that of a rhythm: give rhythm, or heart_rate in vitals")
    if step.rhythm is not None:
        with _of_key("rate"):
            with_rhythm(Patient(), step.rhythm, step.rate, 0.0)
    for name, target in step.vitals.items():
        low, high = RANGES.get(name, RANGES["abp_systolic"])
        if not low <= target <= high:
            raise _KeyError(f"vitals.{name}", f"of {target:g}: use {low:g} to {high:g}")


def _check_episode(step: Step) -> None:
    if isinstance(step.episode, str) and step.episode not in (known := counts(shipped_episodes())):
        raise _KeyError("episode", f"{step.episode!r} is not known: one of {', '.join(sorted(known))}")
    if isinstance(step.episode, Place) and step.episode.end_s <= step.episode.start_s:
        raise _KeyError("episode.end_s", f"of {step.episode.end_s:g} is not after start_s")


def _check_after(scenario: Scenario, after: After, bed: str, number: int) -> None:
    given = [name for name in ("event", "alarm", "rhythm", "step") if getattr(after, name) is not None]
    if len(given) != 1:
        raise _KeyError("after", f"needs one of event, alarm, rhythm, step, not {' and '.join(given) or 'none'}")
    if after.step is None:
        return
    names = [step.name for step in scenario.steps_of(bed) if step.name is not None]
    if after.step not in names:
        raise _KeyError("after", f"step {after.step!r} is no step of bed {bed}: one of {', '.join(names) or 'none'}")
    # Steps that wait for themselves or for each other would never happen.
    if all(step.name != after.step for step in scenario.steps[:number]):
        raise _KeyError("after.step", f"{after.step!r} is not above this step: put that one before it")
