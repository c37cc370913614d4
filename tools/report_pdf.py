"""A compliance report as a PDF: the same report gives the same bytes, whenever it is made."""

from __future__ import annotations

import io
import threading
import time
import unicodedata
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from tools.report import Finding, Report

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "LiberationSans-Regular", "LiberationSans-Bold"
WIDTH, HEIGHT = A4
MARGIN = 56
MEASURE = WIDTH - 2 * MARGIN
LABELS = 128  # width of the column of labels

INK, SOFT, FAINT = HexColor("#1d2430"), HexColor("#565f6e"), HexColor("#6b7280")
RULE, HAIR, PANEL = HexColor("#c9ced6"), HexColor("#e3e6ea"), HexColor("#f6f7f9")
STATUS_COLOURS = {
    "met": HexColor("#17663a"),
    "not_met": HexColor("#a4201a"),
    "unclear": HexColor("#8a5300"),
}
# Letters the fonts lack that mean the same as one they have, or nothing in print.
LOOKALIKES = str.maketrans(
    {"\u2011": "-", "\u202f": "\u00a0", "\u200c": "", "\u200d": "", "\ufe0f": ""}
)
RIGHT_TO_LEFT = ("R", "AL")

_one_at_a_time = threading.Lock()  # reportlab keeps font state between documents


def render(report: Report) -> tuple[bytes, int]:
    """Return the PDF and its number of pages. Takes a tenth of a second for a few pages."""
    with _one_at_a_time:
        _register_fonts()
        _, pages = _build(report, of=0)  # the first pass only counts, for "page 1 of 3"
        return _build(report, of=pages)


def unprintable(text: str) -> list[str]:
    """Return the characters of `text` that this document cannot show, as "東 (U+6771)"."""
    with _one_at_a_time:
        shown = _register_fonts()
    missing = {char for char in text.translate(LOOKALIKES) if not _shows(char, shown)}
    return [f"{char} (U+{ord(char):04X})" for char in sorted(missing)]


def _shows(char: str, shown: frozenset[int]) -> bool:
    """Say whether `char` comes out right; right-to-left scripts would come out backwards."""
    if char in "\n\t":
        return True
    return ord(char) in shown and unicodedata.bidirectional(char) not in RIGHT_TO_LEFT


@cache
def _register_fonts() -> frozenset[int]:
    """Make the fonts known to reportlab; return the code points that both can show."""
    fonts = [TTFont(name, str(FONTS / f"{name}.ttf")) for name in (REGULAR, BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    chosen = {"fontName": REGULAR, "bulletFontName": REGULAR, "textColor": INK, **more}
    return ParagraphStyle(name, fontSize=size, leading=leading, **chosen)


TITLE = _style("title", 20, 25, fontName=BOLD, spaceAfter=6)
SUBTITLE = _style("subtitle", 10.5, 15, textColor=SOFT)
HEADING = _style("heading", 11.5, 15, fontName=BOLD, spaceBefore=18, spaceAfter=6, keepWithNext=1)
BODY = _style("body", 9.5, 14, spaceAfter=6)
LABEL = _style("label", 9.5, 13, textColor=FAINT)
VALUE = _style("value", 9.5, 13)
STRONG = _style("strong", 9.5, 13, fontName=BOLD)
SMALL = _style("small", 8.5, 12, textColor=SOFT)
FIGURE = _style("figure", 15, 18, fontName=BOLD)
HEAD = _style("head", 8.5, 12, fontName=BOLD)


class _Document(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """A document whose headings become its outline."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 reportlab's name
        if getattr(flowable, "style", None) is HEADING:
            key = f"section-{self.page}-{flowable.getPlainText()}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level=0)


def _build(report: Report, *, of: int) -> tuple[bytes, int]:
    file = io.BytesIO()
    document = _Document(
        file,
        pagesize=A4,
        invariant=1,
        lang="en-GB",
        title=report.title,
        author=report.organisation,
        subject=f"{report.regulation_code}, {report.customer_name}",
        creator="AgentOps",
        initialFontName=REGULAR,
    )
    frame = Frame(MARGIN, 66, MEASURE, HEIGHT - 66 - 78, 0, 0, 0, 0)

    def furnish(canvas: Any, _: Any) -> None:
        _date(canvas, report)
        _header_and_footer(canvas, report, of=of)

    document.addPageTemplates(PageTemplate(frames=[frame], onPage=furnish))
    document.build(_story(report))
    return file.getvalue(), document.page


def _date(canvas: Any, report: Report) -> None:
    """Date the file by the report: reportlab's own choice for repeatable files is the year 2000."""
    midnight = datetime(*report.day.timetuple()[:3], tzinfo=UTC)
    stamp = canvas._doc._timeStamp
    stamp.t = midnight.timestamp()
    stamp.lt = time.gmtime(stamp.t)
    stamp.YMDhms = tuple(stamp.lt)[:6]


def _header_and_footer(canvas: Any, report: Report, *, of: int) -> None:
    right = WIDTH - MARGIN
    canvas.setViewerPreference("DisplayDocTitle", "true")
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.8)
    canvas.line(MARGIN, HEIGHT - 60, right, HEIGHT - 60)
    canvas.line(MARGIN, 52, right, 52)
    canvas.setFillColor(SOFT)
    canvas.setFont(BOLD, 8.5)
    canvas.drawString(MARGIN, HEIGHT - 51, _fitted(report.organisation, BOLD, 8.5, 260))
    canvas.setFont(REGULAR, 8.5)
    canvas.drawRightString(
        right, HEIGHT - 51, f"{report.regulation_code} · {report.document_id} · confidential"
    )
    canvas.setFillColor(FAINT)
    canvas.setFont(REGULAR, 7.5)
    digest = " ".join(report.digest[at : at + 4] for at in range(0, 16, 4))
    canvas.drawString(MARGIN, 38, f"Made {report.day_in_words} · content sha256 {digest} …")
    canvas.drawRightString(right, 38, f"Page {canvas.getPageNumber()} of {of}")


def _fitted(text: str, font: str, size: float, width: float) -> str:
    """Return `text`, cut with an ellipsis where it would run into its neighbour."""
    text = text.translate(LOOKALIKES)
    while pdfmetrics.stringWidth(text, font, size) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """Set `text` as it is: reportlab would take markup in it for its own."""
    return Paragraph(escape(text.translate(LOOKALIKES)).replace("\n", "<br/>"), style)


def _story(report: Report) -> list[Flowable]:
    under = f"under {report.regulation_code}, {report.regulation_title}"
    return [
        _paragraph(report.title, TITLE),
        _paragraph(f"to the {report.authority}", SUBTITLE),
        _paragraph(under, SUBTITLE),
        _paragraph(f"by {report.organisation}, {report.day_in_words}", SUBTITLE),
        Spacer(0, 14),
        _figures(report),
        _paragraph("1  Subject", HEADING),
        _facts(report.facts),
        _paragraph("2  Summary", HEADING),
        *[_paragraph(part.strip(), BODY) for part in report.summary.split("\n\n") if part.strip()],
        _paragraph("3  Findings", HEADING),
        *[_finding(finding) for finding in report.findings],
        CondPageBreak(90),
        _paragraph("4  Sources", HEADING),
        _sources(report),
        KeepTogether(
            [
                _paragraph("5  Origin and integrity", HEADING),
                _paragraph(report.provenance, BODY),
                _facts(
                    (
                        ("Document", report.document_id),
                        ("Content digest, sha256", report.digest),
                    )
                ),
            ]
        ),
    ]


def _figures(report: Report) -> Table:
    """Return the outcome as four figures in a panel."""
    count = {status: sum(f.status == status for f in report.findings) for status in STATUS_COLOURS}
    cells = [(len(report.findings), "requirements examined", INK)] + [
        (count[status], words, STATUS_COLOURS[status] if count[status] else FAINT)
        for status, words in (("met", "met"), ("not_met", "not met"), ("unclear", "unclear"))
    ]
    row = [[_figure(number, colour), _paragraph(words, SMALL)] for number, words, colour in cells]
    return _table(
        [row],
        [MEASURE / 4] * 4,
        ("BACKGROUND", (0, 0), (-1, -1), PANEL),
        ("LEFTPADDING", (0, 0), (-1, -1), 12),
        ("TOPPADDING", (0, 0), (-1, -1), 8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 9),
        ("LINEAFTER", (0, 0), (-2, -1), 3, HexColor("#ffffff")),
    )


def _figure(number: int, colour: Color) -> Paragraph:
    return _paragraph(str(number), ParagraphStyle("figure", FIGURE, textColor=colour))


def _facts(facts: tuple[tuple[str, str], ...]) -> Table:
    rows = [[_paragraph(label, LABEL), _paragraph(value, VALUE)] for label, value in facts]
    return _ruled(rows, [LABELS, MEASURE - LABELS])


def _finding(finding: Finding) -> Flowable:
    colour = STATUS_COLOURS[finding.status]
    status = ParagraphStyle("status", STRONG, textColor=colour)
    left = [_paragraph(finding.requirement_id, LABEL), _paragraph(finding.status_in_words, status)]
    right = [
        _paragraph(finding.requirement, STRONG),
        Spacer(0, 3),
        _paragraph(finding.finding, VALUE),
        Spacer(0, 3),
        _paragraph(f"Source: {finding.source}", SMALL),
    ]
    return _table(
        [[left, right]],
        [LABELS, MEASURE - LABELS],
        ("LINEABOVE", (0, 0), (-1, 0), 0.7, HAIR),
        ("LINEBEFORE", (0, 0), (0, 0), 2.5, colour),
        ("LEFTPADDING", (0, 0), (0, 0), 9),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    )


def _sources(report: Report) -> Table:
    head = [_paragraph(text, HEAD) for text in ("Record", "What it is", "As it stood")]
    rows = [
        [_paragraph(s.record_id, VALUE), _paragraph(s.title, VALUE), _paragraph(s.state, SMALL)]
        for s in report.sources
    ]
    return _ruled([head, *rows], [LABELS, 205, MEASURE - LABELS - 205], repeatRows=1)


def _ruled(rows: list[list[Paragraph]], widths: list[float], **options: Any) -> Table:
    return _table(
        rows,
        widths,
        ("LINEBELOW", (0, 0), (-1, -1), 0.7, HAIR),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        **options,
    )


def _table(rows: list[Any], widths: list[float], *commands: Any, **options: Any) -> Table:
    whole = (0, 0), (-1, -1)
    plain = [
        ("FONT", *whole, REGULAR),
        ("VALIGN", *whole, "TOP"),
        ("LEFTPADDING", *whole, 0),
        ("RIGHTPADDING", *whole, 8),
    ]
    style = TableStyle([*plain, *commands])
    return Table(rows, colWidths=widths, style=style, hAlign="LEFT", **options)
