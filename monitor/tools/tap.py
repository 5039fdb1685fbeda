"""Decoded messages as lines of text, for scripts and plotters.

JSON: one line per message, ``{"topic", "received", "retained", "message"}``. Samples are in ``mv`` (of a forecast, in
``mean_mv`` and ``scale_mv``): one list per lead, in the order of ``leads``, null where invalid. Samples of another wave
are in ``values``, in its unit. The message of a ward has a list ``beds`` with the same fields.

CSV: one kind of message, because each has its own columns. ``ecg`` and ``wave`` give one row per sample, ``forecast``
one per sample and lead, ``numerics`` one per value, ``beats``, ``vitals`` and ``alarms`` one per message. The header
does not depend on the messages: that of ECG has columns for twelve leads. ECG from the messages of a ward has the same
rows; a chunk that comes both ways is printed once. What a worker sends after another one has replaced it
(`stream.wire.lease`) is left out.

Control characters in texts are printed as escapes, ``\\u001b``. Times are Unix seconds; ``time`` of an ECG sample is
its due time.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal, TextIO

import msgspec
import numpy as np
import numpy.typing as npt

from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Received
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.both_ways import BothWays
from stream.wire.fields import MAX_LEADS
from stream.wire.lease import Leases
from stream.wire.messages import Beat, Forecast, Message, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook
from stream.wire.plain_text import plain
from stream.wire.shard import ALL_BEDS
from stream.wire.topics import ROOT, Kind, pattern
from stream.wire.ward_messages import WardEcg, WardForecast
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.tap")

Format = Literal["json", "csv"]
Row = tuple[object, ...]

_OF_LEADS = tuple(f"{name}_{number}" for number in range(1, MAX_LEADS + 1) for name in ("lead", "mv"))
ECG_COLUMNS = ("time", "bed", "session", "record", "epoch", "index", *_OF_LEADS)
WAVE_COLUMNS = ("time", "bed", "session", "record", "epoch", "start", "signal", "value", "unit")
OUTLOOK_COLUMNS = (
    *("when", "bed", "session", "epoch", "index", "hour"),
    *("name", "hours_ahead", "median", "low", "high", "unit", "lease"),
)
NUMERICS_COLUMNS = (
    "when",
    "bed",
    "session",
    "epoch",
    "index",
    "name",
    "lead",
    "value",
    "unit",
    "source",
    "age_s",
    "quality",
    "lease",
)
FORECAST_COLUMNS = (
    "bed",
    "session",
    "epoch",
    "origin",
    "index",
    "lead",
    "mean_mv",
    "scale_mv",
    "score",
    "threshold",
    "lease",
)


async def serve(address: BrokerAddress, form: Format, topic: str | None, out: TextIO) -> None:
    """Print received messages until cancelled.

    Parameters
    ----------
    address : BrokerAddress
    form : {"json", "csv"}
    topic : str or None
        MQTT topic filter. None: everything in JSON, the ECG of all beds in CSV.
    out : text file

    Raises
    ------
    UsageError
        The filter is invalid or matches no topic of bedside; for CSV, it does not match exactly one kind of topic that
        has columns.
    BrokerError
        The broker cannot be reached or refuses this client.
    BrokenPipeError
        The reader of `out` closed it.
    """
    lines, header, subscriptions = _plan(form, topic)
    async with Client(address, role=None, subscriptions=subscriptions) as client:
        out.write(header)
        out.flush()
        log.info("printing %s; Ctrl-C ends it", ", ".join(subscriptions) if topic or form == "csv" else "all topics")
        async for received in client:
            out.write(lines(received))
            while (more := client.receive_nowait()) is not None:
                out.write(lines(more))
            out.flush()


def _plan(form: Format, topic: str | None) -> tuple[Callable[[Received], str], str, list[str]]:
    """Return the function that formats a message, the header, and the subscriptions."""
    kinds = kinds_of(topic) if topic is not None else list(Kind)
    if form == "json":
        return json_line, "", [topic] if topic is not None else [pattern(kind) for kind in Kind]
    if topic is None:
        kinds = [Kind.ECG]
    tabular = [kind for kind in kinds if kind in _TABLES]
    if len(kinds) != 1 or not tabular:
        raise UsageError(
            f"--format csv prints one of {', '.join(_TABLES)}, and {topic!r} matches {', '.join(kinds)}: "
            f"choose a topic such as '{pattern(Kind.ECG)}', or --format json"
        )
    columns, rows = _TABLES[tabular[0]]

    leases, both_ways = Leases(), BothWays()

    def lines(received: Received) -> str:
        message = received.message
        if isinstance(message, WardEcg):
            return "".join(_csv(ecg_rows(chunk)) for chunk in both_ways.chunks(message, ALL_BEDS))
        copy = isinstance(message, Waveform) and both_ways.is_copy(message)
        return "" if message is None or copy or not leases.accept(message) else _csv(rows(message))

    return lines, _csv(iter([columns])), [topic] if topic else [pattern(Kind.ECG), pattern(Kind.WARD_ECG)]


def kinds_of(topic: str) -> list[Kind]:
    """Return the kinds of topic that an MQTT filter can match.

    Raises
    ------
    UsageError
        The text is not an MQTT topic filter, or matches no topic of bedside.
    """
    levels = topic.split("/")
    if (
        not topic
        or "\0" in topic
        or "#" in levels[:-1]
        or any(len(level) > 1 and ("+" in level or "#" in level) for level in levels)
    ):
        raise UsageError(
            f"{topic!r} is not an MQTT topic filter: '+' stands for one whole level, '#' for all remaining levels"
        )
    kinds = [kind for kind in Kind if _overlap(levels, pattern(kind).split("/"))]
    if not kinds:
        raise UsageError(f"{topic!r} matches no topic of bedside: they are {ROOT}/BED/ecg, {ROOT}/BED/alarms, …")
    return kinds


def _overlap(levels: list[str], others: list[str]) -> bool:
    """Return whether a topic exists that matches both filters; only the first may end in '#'."""
    if levels[-1] == "#":
        levels = levels[:-1]
        others = others[: len(levels)]
    pairs = list(zip(levels, others, strict=False))
    # "_" is not a bed name: it is the level of the processes' status topics.
    process_as_bed = len(pairs) > 2 and pairs[2] == ("_", "+")
    return len(levels) == len(others) and not process_as_bed and all(a == b or "+" in (a, b) for a, b in pairs)


# --- JSON -----------------------------------------------------------------------------------------------------------


def json_line(received: Received) -> str:
    """Return a message as one line of JSON."""
    line = {
        "topic": str(received.topic),
        "received": round(received.received_ns / 1e9, 6),
        "retained": received.retained,
        "message": None if received.message is None else _readable(received.message),
    }
    return plain(msgspec.json.encode(line).decode()) + "\n"


def _readable(message: Message) -> dict[str, Any]:
    # The version is the tag of the message, not one of its fields.
    fields: dict[str, Any] = {"v": message.__struct_config__.tag}
    fields |= {name: getattr(message, name) for name in message.__struct_fields__}
    match message:
        case Waveform():
            del fields["samples"]
            fields["mv"] = _by_lead(message.mv())
        case Wave():
            del fields["samples"]
            fields["values"] = np.round(message.values(), 6).tolist()
        case Forecast():
            del fields["mean"], fields["scale"]
            fields["mean_mv"] = _by_lead(message.mean_mv())
            fields["scale_mv"] = _by_lead(message.scale_mv())
        case WardEcg():
            return {
                "v": fields["v"],
                "shard": message.shard,
                "beds": [_readable(chunk) for chunk in message.chunks(ALL_BEDS)],
            }
        case WardForecast():
            return {
                "v": fields["v"],
                "shard": message.shard,
                "offsets": message.offsets,
                "beds": list(_readable_forecasts(message)),
            }
    return fields


def _readable_forecasts(message: WardForecast) -> Iterator[dict[str, Any]]:
    """Yield the fields of each bed."""
    names = ("epoch", "seq", "origin", "lease")
    columns = zip(*(message.integers(name).tolist() for name in names), strict=True)
    rows = zip(message.names, message.sessions(), columns, message.lead_names(), message.scores().tolist(), strict=True)
    at = 0
    for bed, session, integers, leads, score in rows:
        end = at + len(message.offsets) * len(leads)
        mean, scale = (values[at:end].reshape(-1, len(leads)) for values in (message.means_mv(), message.scales_mv()))
        fields = {"bed": bed, "session": session, **dict(zip(names, integers, strict=True)), "leads": leads}
        yield fields | {"mean_mv": _by_lead(mean), "scale_mv": _by_lead(scale), "score": score}  # NaN becomes null
        at = end


def _by_lead(samples: npt.NDArray[np.floating]) -> list[list[float]]:
    """Return one list per lead; msgspec writes NaN as null."""
    values: list[list[float]] = np.round(samples.T.astype(np.float64), 6).tolist()
    return values


# --- CSV ------------------------------------------------------------------------------------------------------------


def ecg_rows(message: Message) -> Iterator[Row]:
    """Yield one row per sample; cells are empty where invalid, or where there is no further lead."""
    assert isinstance(message, Waveform)
    step_ns = 1e9 / (message.fs * message.speed)
    for i, sample in enumerate(message.mv()):
        cells: list[object] = []
        for lead, mv in zip(message.leads, sample, strict=True):
            cells += [lead, "" if np.isnan(mv) else f"{mv:.6g}"]
        cells += [""] * (len(_OF_LEADS) - len(cells))
        time = _seconds(message.t0_ns + round(i * step_ns))
        yield (time, message.bed, message.session, message.record, message.epoch, message.start + i, *cells)


def wave_rows(message: Message) -> Iterator[Row]:
    """Yield one row per sample; the value is empty where invalid."""
    assert isinstance(message, Wave)
    step_ns = 1e9 / (message.fs * message.speed)
    source = (message.bed, message.session, message.record, message.epoch)
    for i, value in enumerate(message.values()):
        time, start = _seconds(message.t0_ns + round(i * step_ns)), message.start + i * FS / message.fs
        cell = "" if np.isnan(value) else f"{value:.6g}"
        yield (time, *source, f"{start:.12g}", message.signal, cell, message.unit)


def _seconds(unix_ns: int) -> str:
    time_us = round(unix_ns / 1000)
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def forecast_rows(message: Message) -> Iterator[Row]:
    """Yield one row per predicted sample and lead."""
    assert isinstance(message, Forecast)
    score = "" if message.score is None else f"{message.score:.6g}"
    for offset, means, scales in zip(message.offsets, message.mean_mv(), message.scale_mv(), strict=True):
        index = message.origin + offset
        for lead, mean, scale in zip(message.leads, means, scales, strict=True):
            values = (f"{mean:.6g}", f"{scale:.6g}", score, f"{message.threshold:.6g}")
            yield (message.bed, message.session, message.epoch, message.origin, index, lead, *values)


def numerics_rows(message: Message) -> Iterator[Row]:
    """Yield one row per value; the value is empty if it is missing."""
    assert isinstance(message, Numerics)
    moment = (message.when, message.bed, message.session, message.epoch, message.index)
    for one in message.values:
        value, quality = ("" if number is None else f"{number:.6g}" for number in (one.value, one.quality))
        yield (*moment, one.name, one.lead or "", value, one.unit, one.source, one.age_s, quality, message.lease)


def outlook_rows(message: Message) -> Iterator[Row]:
    """Yield one row per numeric and horizon of a forecast."""
    assert isinstance(message, Outlook)
    moment = (message.when, message.bed, message.session, message.epoch, message.index, message.hour)
    for fan in message.forecasts:
        for hours, *values in zip(message.horizons, fan.median, fan.low, fan.high, strict=True):
            yield (*moment, fan.name, hours, *(f"{value:.6g}" for value in values), fan.unit, message.lease)


def field_rows(message: Message) -> Iterator[Row]:
    """Yield one row with the fields of a message: empty where unknown, tuples separated by spaces."""
    yield tuple(_cell(getattr(message, name)) for name in message.__struct_fields__)


def _cell(value: object) -> object:
    return "" if value is None else " ".join(value) if isinstance(value, tuple) else value


_TABLES: dict[Kind, tuple[Row, Callable[[Message], Iterator[Row]]]] = {
    Kind.ECG: (ECG_COLUMNS, ecg_rows),
    Kind.WARD_ECG: (ECG_COLUMNS, ecg_rows),
    Kind.WAVE: (WAVE_COLUMNS, wave_rows),
    Kind.FORECAST: (FORECAST_COLUMNS, forecast_rows),
    Kind.BEATS: (Beat.__struct_fields__, field_rows),
    Kind.VITALS: (Vitals.__struct_fields__, field_rows),
    Kind.NUMERICS: (NUMERICS_COLUMNS, numerics_rows),
    Kind.NUMERICS_DERIVED: (NUMERICS_COLUMNS, numerics_rows),
    Kind.OUTLOOK: (OUTLOOK_COLUMNS, outlook_rows),
    Kind.ALARMS: (Alarm.__struct_fields__, field_rows),
}


def _plain_cell(cell: object) -> object:
    return plain(cell) if isinstance(cell, str) else cell


def _csv(rows: Iterator[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_plain_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
