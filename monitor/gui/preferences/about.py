"""About dialog: version, warning, licences, citations."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from monitor.gui.style.dialog_buttons import style_buttons
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
"""Package, name and licence of each library."""

CITATIONS = (
    "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50, 2001. "
    "doi:10.13026/C2F305",
    "Goldberger AL, Amaral LAN, Glass L, et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research "
    "resource for complex physiologic signals. Circulation 101(23):e215-e220, 2000.",
)


class AboutDialog(QDialog):
    """Shows version, warning, licences and citations.

    Attributes
    ----------
    labels : list of Label
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("About", "About bedside"))
        purpose = translate(
            "About", "A streaming bedside-monitor simulator for teaching and development. It is not a medical device."
        )
        data = translate(
            "About",
            "Recordings: MIT-BIH Arrhythmia Database, from PhysioNet, Open Data Commons Attribution License 1.0. "
            "Please cite:",
        )
        self.labels = [
            _text_label(theme, f"bedside {_version('bedside')}", "text", 22, bold=True),
            _text_label(theme, simulation(), "simulation", 16, bold=True),
            _text_label(theme, purpose, "text", 14),
            _text_label(theme, translate("About", "bedside itself: MIT licence."), "text", 14),
            _text_label(theme, translate("About", "It uses {list}.").format(list=", ".join(_libraries())), "faint", 13),
            _text_label(theme, data, "text", 13),
            *(_text_label(theme, text, "faint", 13) for text in CITATIONS),
        ]
        page, area = QWidget(), QScrollArea()
        buttons = self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        column, whole = QVBoxLayout(page), QVBoxLayout(self)
        for label in self.labels:
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
        available = parent.size()
        self.resize(min(px(620), available.width() - 20), min(px(460), available.height() - 20))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(14))
        self.setStyleSheet(dialog_style(theme))
        style_buttons(self._buttons, theme)


def _text_label(theme: Theme, text: str, ink: str, pixels: int, bold: bool = False) -> Label:
    label = Label(theme, ink, pixels, bold)
    label.setText(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _libraries() -> list[str]:
    """Return name, version and licence of the installed libraries."""
    return [f"{name} {_version(package)} ({licence})" for package, name, licence in LIBRARIES if _version(package)]


def _version(package: str) -> str:
    # Its import takes 30 ms: the first sample need not wait for it.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
