"""Tiles of numbers: as many in a row as fit, and no number cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.bed import number_column
from monitor.gui.bed.number_column import TILE_PX, NumberColumn, Tile, age_text
from monitor.gui.style.theme import NIGHT
from monitor.view.number_alarms import NumberAlarm

PRESSURE = Tile("NIBP", "mmHg", "120/80", "(93)", "", "measured, 12 min ago", None, dim=False, limits=("160", "90"))


def shown(qtbot: QtBot, count: int, width: int, height: int) -> NumberColumn:
    column = NumberColumn(NIGHT, in_row=True)
    qtbot.addWidget(column)
    column.show_tiles([PRESSURE] * count)
    column.resize(width, height)
    return column


@pytest.mark.parametrize(("count", "width", "rows"), [(1, 300, 1), (2, 300, 1), (3, 300, 2), (5, 300, 3), (5, 800, 1)])
def test_tiles_go_to_further_rows_rather_than_become_narrow(qtbot: QtBot, count: int, width: int, rows: int) -> None:
    column = shown(qtbot, count, width, 58 * rows)
    places = [column._place(number) for number in range(count)]
    assert column.rows(width) == rows
    assert all(place.width() >= TILE_PX and place.height() == 58 for place in places)
    assert all(column.rect().contains(place) for place in places)
    assert sum(place.intersects(other) for place in places for other in places) == count, "none overlaps another"


@pytest.mark.parametrize("height", [29, 32, 58, 92])
def test_a_pressure_in_the_narrowest_tile_is_whole(qtbot: QtBot, height: int) -> None:
    column = shown(qtbot, 1, TILE_PX, height)
    ink = _columns_with_ink(column.grab(QRect(1, 1, TILE_PX - 1, height - 1)).toImage())
    assert not ink[:6].any(), "nothing at the left edge"
    assert not ink[-6:].any(), "nothing at the right edge"


def test_a_tile_with_one_line_has_the_violated_limit_alone() -> None:
    low = replace(PRESSURE, alarm=NumberAlarm("medium", "low", acknowledged=False, kind="abp_systolic_low"))
    assert number_column._violated_alone(PRESSURE) == ("", "")
    assert number_column._violated_alone(low) == ("", "90")


def test_only_tiles_that_have_changed_are_drawn_again(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    column = shown(qtbot, 3, 900, 58)
    column.show()
    qtbot.waitExposed(column)
    QApplication.processEvents()
    drawn: list[str] = []
    draw = number_column._draw_tile
    monkeypatch.setattr(number_column, "_draw_tile", lambda *of: (drawn.append(of[1].main), draw(*of)))
    column.show_tiles([PRESSURE, replace(PRESSURE, main="99/60"), PRESSURE])
    QApplication.processEvents()
    assert drawn == ["99/60"]
    column.show_tiles([PRESSURE])
    QApplication.processEvents()
    assert drawn == ["99/60", "120/80"], "with another number of tiles all of them"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h")])
def test_ages_are_short(seconds: int, text: str) -> None:
    assert age_text(seconds) == text


def _columns_with_ink(image: QImage) -> np.ndarray:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())[:, : grey.width()]
    return np.ptp(rows, axis=0) > 60
