"""Contrast of all themes, and colour differences of the colour-blind safe one. Arithmetic only."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from monitor.gui.style.palettes import DAY, NIGHT, PAPER, SAFE, THEMES, Theme, next_theme
from monitor.view.link import LinkState
from stream.wire.alarm_messages import PRIORITIES

ALL_THEMES = [pytest.param(theme, id=theme.name) for theme in (*THEMES.values(), PAPER)]
MIN_CONTRAST = 4.5
"""Contrast of text required by WCAG 2.1 (1.4.3)."""

MIN_DIFFERENCE = 20.0
"""CIELAB difference required between colours of different meaning; 2.3 is just noticeable side by side."""

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
BLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(text: str) -> np.ndarray:
    """Return linear RGB, 0 to 1, of ``#rrggbb``."""
    assert len(text) == 7
    value = np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG, 1 to 21."""
    low, high = sorted(float(linear(text) @ (0.2126, 0.7152, 0.0722)) for text in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB (D65) of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ np.clip(rgb, 0, 1) / (0.9505, 1.0, 1.089), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def inks(theme: Theme) -> dict[str, str]:
    """Return the text colours used on `ground` and `panel`."""
    named = ("text", "faint", "ecg", "forecast", "score", "threshold", "simulation", "calipers")
    found = {name: getattr(theme, name) for name in named}
    return found | {f"link {state}": theme.link(state) for state in LinkState}


def test_the_formulas_match_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01), "a grey just below the threshold"
    assert lab(linear("#ff0000")) == pytest.approx([53.2, 80.1, 67.2], abs=0.5)


@pytest.mark.parametrize("theme", ALL_THEMES)
def test_text_contrasts_with_its_background(theme: Theme) -> None:
    for ground in (theme.ground, theme.panel):
        for name, ink in (inks(theme) | theme.priority).items():
            assert contrast(ink, ground) >= MIN_CONTRAST, f"{name} on {ground}"


@pytest.mark.parametrize("theme", ALL_THEMES)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_an_alarm_is_readable_in_both_halves_of_the_flash_cycle(theme: Theme, priority: str) -> None:
    assert contrast(theme.signal_ink[priority], theme.signal[priority]) >= MIN_CONTRAST
    assert contrast(theme.priority[priority], theme.priority_tint[priority]) >= MIN_CONTRAST
    assert contrast(theme.ecg, theme.priority_tint[priority]) >= MIN_CONTRAST, "the trace runs over the tint"


@pytest.mark.parametrize("theme", ALL_THEMES)
def test_text_on_coloured_fields_is_readable(theme: Theme) -> None:
    assert contrast(theme.ground, theme.simulation) >= MIN_CONTRAST, "SYNTHETIC"
    assert contrast(theme.ground, theme.calipers) >= MIN_CONTRAST, "FROZEN"
    assert contrast(theme.text, theme.edge) >= MIN_CONTRAST, "a hovered list item, a pressed button"


@pytest.mark.parametrize("theme", ALL_THEMES)
def test_the_grid_is_fainter_than_the_trace(theme: Theme) -> None:
    assert contrast(theme.grid_fine, theme.ground) < contrast(theme.grid, theme.ground) < 2.0
    assert 2.0 < contrast(theme.predicted, theme.ground) < contrast(theme.ecg, theme.ground)


@pytest.mark.parametrize("theme", ALL_THEMES)
def test_the_band_of_a_forecast_is_seen_and_its_mean_stands_out(theme: Theme) -> None:
    opacity = int(theme.band[1:3], 16) / 255
    pairs = zip(bytes.fromhex(theme.ground[1:]), bytes.fromhex(theme.band[3:]), strict=True)
    band = "#" + "".join(f"{round(below + opacity * (above - below)):02x}" for below, above in pairs)
    assert contrast(band, theme.ground) > 1.4
    assert contrast(theme.band_edge, theme.ground) > 2.5
    assert contrast(theme.forecast, band) > 3.0, "WCAG 1.4.11"


@pytest.mark.parametrize("blindness", BLIND)
def test_colours_differ_for_colour_blind_users(blindness: str) -> None:
    simulate = np.array(BLIND[blindness])
    meanings = {
        "trace": SAFE.ecg,
        "forecast": SAFE.forecast,
        "score": SAFE.score,
        "high": SAFE.priority["high"],
        "medium": SAFE.priority["medium"],
        "technical": SAFE.priority["technical"],
    }
    for (one, ink), (other, another) in combinations(meanings.items(), 2):
        perceived = [lab(simulate @ linear(text)) for text in (ink, another)]
        assert float(np.linalg.norm(perceived[0] - perceived[1])) >= MIN_DIFFERENCE, f"{one} and {other}"


def test_the_night_theme_is_not_colour_blind_safe() -> None:
    simulate = np.array(BLIND["deuteranopia"])
    perceived = [lab(simulate @ linear(text)) for text in (NIGHT.ecg, NIGHT.priority["high"])]
    assert float(np.linalg.norm(perceived[0] - perceived[1])) < MIN_DIFFERENCE, "green trace, red alarm"


def test_next_theme_cycles_through_all_themes() -> None:
    assert [next_theme(theme) for theme in (NIGHT, DAY, SAFE)] == [DAY, SAFE, NIGHT]
