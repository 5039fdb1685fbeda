"""A report of HTML and SVG as PDF on A4, by Qt's own typesetting."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMarginsF, QRectF, QSizeF, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument
from PySide6.QtSvg import QSvgRenderer

_DPI = 150
_MARGIN_MM = 12.0
_SHARPNESS = 2
"""Pixels of a picture for each of its own."""

_PAGE_PX, _PICTURE_PX = 980, 900
"""Widths of the page and of pictures in the pixels of the layout."""


class Pictures:
    """Pictures that stand in the HTML by name: Qt's typesetting knows images, not inline SVG."""

    def __init__(self) -> None:
        self._images: list[QImage] = []

    def place(self, svg: str) -> str:
        """Return the HTML of a picture."""
        renderer = QSvgRenderer(QByteArray(svg.encode()))
        size = renderer.defaultSize()
        image = QImage(size * _SHARPNESS, QImage.Format.Format_RGB32)
        image.fill(0xFFFFFF)
        with QPainter(image) as painter:
            renderer.render(painter)
        self._images.append(image)
        return f'<img src="picture:{len(self._images)}" width="{_PICTURE_PX}">'

    def add_to(self, document: QTextDocument) -> None:
        """Give a document its pictures."""
        for number, image in enumerate(self._images, 1):
            document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(f"picture:{number}"), image)


def application() -> QGuiApplication:
    """Return the application, which fonts need; without windows."""
    existing = QGuiApplication.instance()
    return existing if isinstance(existing, QGuiApplication) else QGuiApplication(["bedside"])


def write_pdf(html: str, pictures: Pictures, path: str) -> None:
    """Write a page of HTML as PDF; `application` must exist.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    writer = QPdfWriter(path)
    writer.setResolution(_DPI)
    writer.setCreator("bedside")
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter
        )
    )
    document = QTextDocument()
    pictures.add_to(document)
    document.setHtml(html)
    # The document is laid out in its own pixels, and printed as wide as the page.
    area = writer.pageLayout().paintRectPixels(_DPI)
    scale = area.width() / _PAGE_PX
    document.setPageSize(QSizeF(_PAGE_PX, area.height() / scale))
    document.setDocumentMargin(4)
    with QPainter() as painter:
        if not painter.begin(writer):
            raise OSError(f"{path} cannot be written")
        page_px = document.pageSize().height()
        for page in range(document.pageCount()):
            if page:
                writer.newPage()
            painter.save()
            painter.scale(scale, scale)
            painter.translate(0, -page * page_px)
            document.drawContents(painter, QRectF(0, page * page_px, _PAGE_PX, page_px))
            painter.restore()
