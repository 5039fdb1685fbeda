"""Injections and faults of the wire that a publisher can make by command: unit, range and usual level of each.

An injection changes the samples of a signal, at its source; a fault of the wire loses or delays its messages. What
each one does stands in `stream.injections` and `stream.replay.wire_faults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from stream.errors import UsageError

InjectionKind = Literal[
    "lead_off",
    "flat_line",
    "electrode_motion",
    "muscle_noise",
    "baseline_wander",
    "mains",
    "saturation",
    "gain_error",
    "swapped_electrodes",
    "damped_pressure",
    "disconnected_pressure",
    "poor_perfusion",
    "cuff_inflation",
    "loss",
    "duplicates",
    "delay",
    "jitter",
    "disconnect",
]
"""Injections, then faults of the wire."""

WIRE_FAULTS: tuple[InjectionKind, ...] = ("loss", "duplicates", "delay", "jitter", "disconnect")
"""Faults of the wire: they concern all messages with samples or numerics of a bed, not one signal."""

INJECTION_KINDS: tuple[InjectionKind, ...] = get_args(InjectionKind)

InjectedSignal = Literal["ecg", "pleth", "abp", "pap", "cvp", "resp", "co2"]
"""Signals whose samples an injection can change."""

Disturbable = Literal[InjectedSignal, "wire"]
"""What of a bed an injection can change: a signal, or by a fault of the wire its messages."""

MAX_INJECTION_S = 86_400.0
"""Longest injection that ends by itself, in s of signal."""

MAX_INJECTIONS = 16
"""Largest number of injections of a bed at once."""


@dataclass(frozen=True, slots=True)
class Range:
    """Values that a parameter may have.

    Attributes
    ----------
    minimum, maximum : float
    usual : float
        Taken if the command names none.
    unit : str
        Empty: a ratio.
    """

    minimum: float
    maximum: float
    usual: float
    unit: str


@dataclass(frozen=True, slots=True)
class InjectionRules:
    """What a command may say about one kind.

    Attributes
    ----------
    signals : tuple of str
        Signals that it can change, the usual one first; empty for a fault of the wire.
    level : Range or None
        None: the kind has no level.
    hz : Range or None
        Frequency in Hz; None: the kind has none.
    seconds : Range or None
        None: as long as the command says, `MAX_INJECTION_S` at most, or until it is stopped.
    """

    signals: tuple[InjectedSignal, ...]
    level: Range | None = None
    hz: Range | None = None
    seconds: Range | None = None


ECG: tuple[InjectedSignal, ...] = ("ecg",)
PRESSURES: tuple[InjectedSignal, ...] = ("abp", "pap", "cvp")
SNR = Range(-20, 40, 0, "dB")
"""Signal-to-noise ratio by the definition of `nst` (`stream.injections.signal_level`). The records of nstdb have 24 to
−6 dB."""

INJECTION_RULES: Mapping[InjectionKind, InjectionRules] = {
    "lead_off": InjectionRules(ECG),
    "flat_line": InjectionRules(ECG),
    "electrode_motion": InjectionRules(ECG, SNR),
    "muscle_noise": InjectionRules(ECG, SNR),
    "baseline_wander": InjectionRules(ECG, Range(0.01, 5, 0.5, "mV"), Range(0.05, 1, 0.2, "Hz")),
    "mains": InjectionRules(ECG, Range(0.01, 5, 0.2, "mV"), Range(45, 65, 50, "Hz")),
    "saturation": InjectionRules(ECG, Range(0.05, 10, 0.5, "mV")),
    "gain_error": InjectionRules((*ECG, *PRESSURES, "pleth", "resp", "co2"), Range(0.1, 10, 0.5, "")),
    "swapped_electrodes": InjectionRules(ECG),
    "damped_pressure": InjectionRules(PRESSURES, Range(0.05, 5, 1.5, ""), Range(0.5, 40, 3, "Hz")),
    "disconnected_pressure": InjectionRules(PRESSURES),
    "poor_perfusion": InjectionRules(("pleth",), Range(0, 1, 0.1, "")),
    "cuff_inflation": InjectionRules(("pleth",), seconds=Range(10, 180, 30, "s")),
    "loss": InjectionRules((), Range(0.1, 100, 10, "%")),
    "duplicates": InjectionRules((), Range(0.1, 100, 10, "%")),
    "delay": InjectionRules((), Range(1, 5000, 500, "ms")),
    "jitter": InjectionRules((), Range(1, 2000, 200, "ms")),
    "disconnect": InjectionRules((), seconds=Range(0.5, 30, 10, "s")),
}
"""Rules of each kind. Levels: ``baseline_wander`` and ``mains`` amplitude (half of peak to peak); ``saturation`` the
rails; ``gain_error`` and ``poor_perfusion`` a factor; ``damped_pressure`` the damping coefficient, with the natural
frequency in Hz; ``loss`` and ``duplicates`` the probability of each message. Delays and the duration of ``disconnect``
are bounded, because what is held back is kept in memory: 30 s of a bed at most, as during an outage of the broker."""


def disturbs(kind: InjectionKind) -> tuple[Disturbable, ...]:
    """Return what a kind can change, the usual one first."""
    return INJECTION_RULES[kind].signals or ("wire",)


def check_injection(
    kind: InjectionKind, signal: str | None, lead: str | None, level: float | None, hz: float | None
) -> None:
    """Refuse values that a kind does not have.

    Raises
    ------
    ValueError
        With the value, and the range.
    """
    rules = INJECTION_RULES[kind]
    if signal is not None and signal not in rules.signals:
        raise ValueError(f"{kind} changes {' or '.join(rules.signals) or 'no signal'}, not {signal}")
    if lead is not None and (signal or next(iter(rules.signals), None)) != "ecg":
        raise ValueError(f"{kind} does not concern an ECG: only that has leads, not {lead!r}")
    for name, value, own in (("level", level, rules.level), ("hz", hz, rules.hz)):
        if value is None:
            continue
        if own is None:
            raise ValueError(f"{kind} has no {name}, not {value:g}")
        if not own.minimum <= value <= own.maximum:
            unit = f" {own.unit}" if own.unit else ""
            raise ValueError(f"{name} of {kind} is {own.minimum:g} to {own.maximum:g}{unit}, not {value:g}")


def check_seconds(kind: InjectionKind, seconds: float | None) -> None:
    """Refuse a duration that a kind does not allow.

    Raises
    ------
    ValueError
    """
    own = INJECTION_RULES[kind].seconds or Range(0.1, MAX_INJECTION_S, 0.1, "s")
    if seconds is not None and not own.minimum <= seconds <= own.maximum:
        raise ValueError(f"seconds of {kind} are {own.minimum:g} to {own.maximum:g}, not {seconds:g}")


def known_kind(text: str) -> InjectionKind:
    """Return the kind with a name.

    Raises
    ------
    UsageError
        There is none.
    """
    for kind in INJECTION_KINDS:
        if kind == text:
            return kind
    raise UsageError(f"injection {text!r} is unknown; use one of {', '.join(INJECTION_KINDS)}")
