# ruff: noqa: RUF001  names in several scripts are the point here
"""The PDF by itself, without a database."""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader

from tools.report import Finding, Report, Source
from tools.report_pdf import FONTS, render, unprintable

REPORT = Report(
    organisation="Hallberg Compliance GmbH",
    title="Report on Αιγαίο Ναυτιλιακή Α.Ε.",
    authority="Nordic Financial Supervisory Authority",
    regulation_code="AML-6",
    regulation_title="Customer due diligence",
    customer_id="C-1004",
    customer_name="Αιγαίο Ναυτιλιακή Α.Ε.",
    facts=(("Name", "Αιγαίο Ναυτιλιακή Α.Ε."), ("Address", "бул. Приморски 3, Świętokrzyskie")),
    summary="One.\n\nTwo.",
    findings=(
        Finding(
            requirement_id="AML-6.1",
            requirement="The customer is identified.",
            status="met",
            finding="Ελένη Παπαδοπούλου, ≥ 51 % → owner.",
            source="C-1004",
        ),
    ),
    sources=(Source(record_id="C-1004", title="Customer record", state="version 1"),),
    day=date(2026, 11, 22),
)


def _read(report: Report) -> PdfReader:
    return PdfReader(io.BytesIO(render(report)[0]))


def _text(report: Report) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in _read(report).pages)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(REPORT) == render(REPORT)


def test_the_same_report_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib, pickle, sys; from tools.report_pdf import render;"
        "sys.stdout.write(hashlib.sha256(render(pickle.load(sys.stdin.buffer))[0]).hexdigest())"
    )
    made = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(REPORT),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert made.stdout.decode() == hashlib.sha256(render(REPORT)[0]).hexdigest()


def test_threads_that_render_at_once_give_what_one_gives() -> None:
    reports = [replace(REPORT, title=f"Report {number}") for number in range(8)]
    alone = [render(report) for report in reports]
    together: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda n=n, r=r: together.update({n: render(r)}))
        for n, r in enumerate(reports)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [together[number] for number in range(8)] == alone


def test_every_script_we_cover_comes_out_as_text() -> None:
    said = _text(REPORT)
    for part in ("Αιγαίο Ναυτιλιακή", "Приморски", "Świętokrzyskie", "≥ 51 % → owner"):
        assert part in said


def test_markup_in_a_text_is_printed_and_not_obeyed() -> None:
    hostile = (
        '<b>bold</b> & <img src="file:///etc/passwd"/> <a href="http://evil.example">x</a> '
        "<font size=99>y</font> &lt; ]]> <para> {{ x }} <unknown"
    )
    finding = replace(REPORT.findings[0], finding=hostile, source=hostile, requirement_id="<i>")
    report = replace(
        REPORT,
        title=hostile[:60],
        organisation="O’Dálaigh & Sons <x>",
        summary=hostile,
        facts=((hostile, hostile),),
        findings=(finding,),
    )
    reader = _read(report)
    said = _text(report)
    for part in ("<b>bold</b> &", '<img src="file:///etc/passwd"/>', "&lt; ]]> <para>"):
        assert part in said
    for page in reader.pages:
        assert "/Annots" not in page
        assert list(page.images) == []


def test_pages_are_numbered_to_the_last() -> None:
    many = replace(REPORT, findings=REPORT.findings * 40)
    reader = _read(many)
    total = len(reader.pages)
    assert total > 3
    for number, page in enumerate(reader.pages, start=1):
        assert f"Page {number} of {total}" in page.extract_text()


def test_the_longest_texts_we_take_find_room() -> None:
    long = "Unbreakable" * 136
    finding = replace(REPORT.findings[0], finding=long[:1500], source="C-1004 " * 28)
    report = replace(
        REPORT,
        title="W" * 120,
        summary=("word " * 800),
        organisation="A very long name " * 12,
        findings=(finding,) * 40,
        facts=(("Name", "N" * 200),) * 12,
    )
    assert len(_read(report).pages) > 5


def test_the_file_carries_title_author_language_outline_and_the_reports_date() -> None:
    reader = _read(REPORT)
    assert reader.metadata is not None
    assert reader.metadata.title == REPORT.title
    assert reader.metadata.author == REPORT.organisation
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date() == REPORT.day
    assert reader.trailer["/Root"]["/Lang"] == "en-GB"
    assert [entry["/Title"] for entry in reader.outline] == [
        "1 Subject",
        "2 Summary",
        "3 Findings",
        "4 Sources",
        "5 Origin and integrity",
    ]


def test_every_font_is_embedded_and_licensed_to_be() -> None:
    for page in _read(REPORT).pages:
        fonts = page["/Resources"]["/Font"]
        for name in fonts:
            assert "/FontFile2" in fonts[name]["/FontDescriptor"]
    assert "SIL OPEN FONT LICENSE" in (FONTS / "LICENSE.txt").read_text()


def test_the_file_runs_nothing_when_it_is_opened() -> None:
    content = render(REPORT)[0]
    for active in (b"/JavaScript", b"/JS", b"/OpenAction", b"/Launch", b"/EmbeddedFile", b"/URI"):
        assert active not in content


@pytest.mark.parametrize(
    "text", ["Świętokrzyskie ẞ ộ", "ΆΑω", "Њђѝӣ", "— “x” … № € ≥ → −", "a\u2011b\u202fc"]
)
def test_what_people_write_in_europe_is_printable(text: str) -> None:
    assert unprintable(text) == []


def test_what_cannot_be_printed_is_named() -> None:
    assert unprintable("a 東 ☃") == ["☃ (U+2603)", "東 (U+6771)"]
    assert unprintable("שלום")


def test_the_digest_covers_all_that_the_report_says() -> None:
    changed = {
        "organisation": "x",
        "title": "x",
        "authority": "x",
        "regulation_code": "x",
        "regulation_title": "x",
        "customer_id": "x",
        "customer_name": "x",
        "facts": (("x", "x"),),
        "summary": "x",
        "findings": (replace(REPORT.findings[0], status="unclear"),),
        "sources": (),
        "day": date(2026, 11, 23),
    }
    digests = {replace(REPORT, **{name: value}).digest for name, value in changed.items()}
    assert len(digests | {REPORT.digest}) == len(changed) + 1


def test_the_outcome_is_counted_in_words() -> None:
    assert REPORT.outcome == "1 requirement examined: 1 met."
    two = replace(
        REPORT, findings=(*REPORT.findings, replace(REPORT.findings[0], status="not_met"))
    )
    assert two.outcome == "2 requirements examined: 1 met, 1 not met."
