"""What injections do to the numerics of the publisher: those of a device that measures the disturbed signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from stream.timebase import FS
from stream.wire.fields import MAX_FINITE
from stream.wire.numerics_message import Numeric
from stream.wire.status_messages import RunningInjection

PULSE_OXIMETRY = ("spo2", "pulse_rate", "perfusion_index")


def disturb(
    values: tuple[Numeric, ...],
    index: int,
    injections: Iterable[RunningInjection],
    pulse_share: Callable[[RunningInjection], float],
) -> tuple[Numeric, ...]:
    """Return the numerics with injections.

    While a cuff is inflated, those of the pulse oximeter are missing; while all leads are off, the heart rate; while
    those of an impedance are (``lead_off`` of ``resp``), the respiration rate. A disconnected pressure is 0, and has no
    pulse rate; a damped one keeps its mean, systolic and diastolic pressure approach it as the pulse does. A wrong gain
    changes pressures and carbon dioxide, poor perfusion the perfusion index.

    Parameters
    ----------
    values : tuple of Numeric
    index : int
        Sample of the session at which they hold.
    injections : iterable of RunningInjection
        Those that concern this sample.
    pulse_share : callable
        Returns the share of the pulse that is left by an injection of ``damped_pressure``.
    """
    for injection in injections:
        values = tuple(_disturbed(one, values, index, injection, pulse_share) for one in values)
    return values


def _disturbed(
    one: Numeric,
    values: tuple[Numeric, ...],
    index: int,
    injection: RunningInjection,
    pulse_share: Callable[[RunningInjection], float],
) -> Numeric:
    if _takes_away(injection, one):
        since_s = 0.0 if one.value is None else (index - injection.begin) / FS
        return replace(one, value=None, age_s=min(one.age_s + since_s, MAX_FINITE))
    if one.value is None:
        return one
    level = injection.level or 0.0
    of_signal = one.name.startswith(f"{injection.signal}_")
    if injection.kind == "disconnected_pressure" and of_signal:
        return replace(one, value=0.0)
    if injection.kind == "damped_pressure" and of_signal:
        mean = next((other.value for other in values if other.name == f"{injection.signal}_mean"), None)
        return one if mean is None else replace(one, value=mean + pulse_share(injection) * (one.value - mean))
    if injection.kind == "gain_error" and (of_signal or (injection.signal, one.name) == ("co2", "etco2")):
        return replace(one, value=min(one.value * level, MAX_FINITE))
    if injection.kind == "poor_perfusion" and one.name == "perfusion_index":
        return replace(one, value=one.value * level)
    return one


def _takes_away(injection: RunningInjection, one: Numeric) -> bool:
    """Return whether a device measures nothing any more."""
    match injection.kind:
        case "cuff_inflation":
            return one.name in PULSE_OXIMETRY
        case "lead_off":
            if injection.signal == "resp":
                return one.name == "respiration_rate"
            return one.name == "heart_rate" and injection.lead is None
        case "disconnected_pressure":
            return one.name == f"pulse_rate_{injection.signal}"
    return False
