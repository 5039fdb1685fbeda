"""What this program is, what it is made of, and whose recordings it shows."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from monitor.gui.style.footer import simulation
from monitor.gui.style.label import Label, dialog_style
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme, font, px

LIBRARIES = (
    ("PySide6-Essentials", "Qt for Python", "LGPL-3.0"),
    ("pyqtgraph", "pyqtgraph", "MIT"),
    ("numpy", "NumPy", "BSD-3-Clause"),
    ("scipy", "SciPy", "BSD-3-Clause"),
    ("msgspec", "msgspec", "BSD-3-Clause"),
    ("aiomqtt", "aiomqtt", "BSD-3-Clause"),
    ("paho-mqtt", "Eclipse Paho", "EPL-2.0 or BSD-3-Clause"),
    ("wfdb", "wfdb", "MIT"),
    ("torch", "PyTorch", "BSD-3-Clause"),
    ("safetensors", "safetensors", "Apache-2.0"),
    ("amqtt", "aMQTT", "MIT"),
)
"""Package, name, licence."""

CITATIONS = (
    "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50, 2001. "
    "doi:10.13026/C2F305",
    "Goldberger AL, Amaral LAN, Glass L, et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research "
    "resource for complex physiologic signals. Circulation 101(23):e215-e220, 2000.",
)


class AboutDialog(QDialog):
    """Name, version, warning, licences, citations.

    Attributes
    ----------
    words : list of Label
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("About", "About bedside"))
        what = translate(
            "About", "A streaming bedside-monitor simulator for teaching and development. It is no medical device."
        )
        data = translate(
            "About",
            "Recordings: MIT-BIH Arrhythmia Database, from PhysioNet, Open Data Commons Attribution License 1.0. "
            "Please cite:",
        )
        self.words = [
            _words(theme, f"bedside {_version('bedside')}", "text", 22, bold=True),
            _words(theme, simulation(), "simulation", 16, bold=True),
            _words(theme, what, "text", 14),
            _words(theme, translate("About", "bedside itself: MIT licence."), "text", 14),
            _words(theme, translate("About", "It uses {list}.").format(list=", ".join(_libraries())), "faint", 13),
            _words(theme, data, "text", 13),
            *(_words(theme, text, "faint", 13) for text in CITATIONS),
        ]
        page, area, buttons = QWidget(), QScrollArea(), QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        column, whole = QVBoxLayout(page), QVBoxLayout(self)
        for label in self.words:
            column.addWidget(label)
        column.addStretch(1)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons.rejected.connect(self.reject)
        whole.addWidget(area)
        whole.addWidget(buttons)
        self.apply_theme(theme)
        room = parent.size()
        self.resize(min(px(620), room.width() - 20), min(px(460), room.height() - 20))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(14))
        self.setStyleSheet(dialog_style(theme))


def _words(theme: Theme, text: str, ink: str, pixels: int, bold: bool = False) -> Label:
    made = Label(theme, ink, pixels, bold)
    made.setText(text)
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def _libraries() -> list[str]:
    """Return name, version and licence of those that are installed."""
    return [f"{name} {_version(package)} ({licence})" for package, name, licence in LIBRARIES if _version(package)]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
