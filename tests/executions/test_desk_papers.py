"""PDFs page by page: what is shown is what is made or filed, to whom may decide on it alone."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document, shown
from tests.tools.calling import run
from tools import pages
from tools.generate_compliance_document import draft
from tools.pages import NotDrawable, picture
from tools.registry import TOOLS

PNG = b"\x89PNG\r\n"


pytestmark = pytest.mark.usefixtures("sample_data")


@pytest.fixture
def content() -> bytes:
    """A real PDF of two pages or more."""
    return draft(TOOLS["generate_compliance_document"].parse(document()))[0]


def address(review: AgentReview, number: int = 1, paper: int = 0) -> str:
    given = {"review_id": review.pk, "paper": paper, "number": number}
    return reverse("review-page", kwargs=given)


def filing(content: bytes = desk.BROKEN_PDF, *, pages: int = 2) -> AgentReview:
    desk.report(content=content, pages=pages)
    named = {**desk.FILING, "document_sha256": hashlib.sha256(content).hexdigest()}
    return desk.proposed("submit_to_regulator", named, votes=2)


def test_the_document_to_be_made_is_shown_page_by_page_as_it_will_be(
    client: Client, rita: User
) -> None:
    review = desk.proposed("generate_compliance_document", document())
    page = shown(client, review)
    made = run("generate_compliance_document", document())
    assert made["sha256"] in page
    assert made["document_id"] in page
    for number in range(1, made["pages"] + 1):
        assert f'src="{address(review, number)}"' in page
        response = client.get(address(review, number))
        assert response.headers["Content-Type"] == "image/png"
        drawn = Image.open(io.BytesIO(response.content))
        assert drawn.size[0] == pages.WIDTH
        assert len(drawn.getcolors(maxcolors=1_000_000) or []) > 10  # not a blank sheet
    assert client.get(address(review, made["pages"] + 1)).status_code == 404


def test_a_filing_shows_the_pages_of_its_document(
    client: Client, rita: User, content: bytes
) -> None:
    review = filing(content)
    assert f'src="{address(review)}"' in shown(client, review)
    response = client.get(address(review))
    assert response.content.startswith(PNG)
    again = client.get(address(review), headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert "no-cache" in response.headers["Cache-Control"]


def test_a_mail_shows_the_pages_of_what_is_attached(
    client: Client, rita: User, content: bytes
) -> None:
    found = desk.report(content=content)
    letter = {**desk.LETTER, "attach_document_ids": [found.document_id]}
    review = desk.proposed(arguments=letter)
    assert f'src="{address(review)}"' in shown(client, review)
    assert client.get(address(review)).content.startswith(PNG)


def test_only_who_decides_on_the_tool_sees_a_page(client: Client, content: bytes) -> None:
    review = filing(content)
    client.force_login(factories.person("sam", may=["approve_send_email", "view_*"]))
    assert client.get(address(review)).status_code == 403
    client.force_login(factories.person("tina", may=["approve_submit_to_regulator"]))
    assert client.get(address(review)).status_code == 200


@pytest.mark.parametrize(("paper", "number"), [(0, 0), (0, 3), (1, 1), (99, 1)])
def test_there_is_no_page_that_the_document_does_not_have(
    client: Client, rita: User, paper: int, number: int
) -> None:
    assert client.get(address(filing(), number, paper)).status_code == 404
    assert client.get(address(AgentReview(pk=uuid4()))).status_code == 404


def test_a_page_that_cannot_be_drawn_says_why(client: Client, rita: User) -> None:
    response = client.get(address(filing()))
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "The document cannot be drawn" in " ".join(response.content.decode().split())
    assert "<script" not in response.content.decode()


def test_an_edit_that_nobody_has_put_before_people_shows_no_pages(
    client: Client, rita: User, content: bytes
) -> None:
    """They would be those of the arguments that are before people now."""
    review = desk.proposed("generate_compliance_document", document())
    data = {"seen_digest": review.input_digest, "step": "check"}
    edited = client.post(desk.url(review, "edit"), {**data, "arg.title": "Another title"})
    assert "/papers/" not in edited.content.decode()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "cannot be drawn"),
        (b"no PDF at all", "cannot be drawn"),
        (
            b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj trailer<</Root 1 0 R>>",
            "cannot be drawn|no pic",
        ),
        (b"x" * (pages.MOST_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_pdf_is_a_sentence(given: bytes, why: str) -> None:
    with pytest.raises(NotDrawable, match=why):
        picture(given, 1)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("while True: pass", "within|broke off|cannot be drawn"),
        ("x = bytearray(10**10)", "cannot be drawn"),
        ("import os; os.abort()", "broke off"),
    ],
)
def test_a_worker_that_hangs_bursts_or_crashes_is_a_sentence(
    program: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "worker.py"
    real = pages.WORKER.read_text().replace("import pypdfium2\n", "")
    body = real.split("def main")[0] + "def main(most: int, width: int, cpu_s: int) -> None:\n"
    limits = "".join(line for line in real.splitlines(keepends=True) if "setrlimit" in line)
    worker.write_text(f"{body}{limits}    {program}\n\nmain(*map(int, sys.argv[1:]))\n")
    monkeypatch.setattr(pages, "WORKER", worker)
    monkeypatch.setattr(pages, "TIME_S", 1)
    with pytest.raises(NotDrawable, match=why):
        picture(f"%PDF {program}".encode(), 1)


def test_a_long_document_is_drawn_as_far_as_it_says(
    client: Client, rita: User, content: bytes
) -> None:
    review = filing(content, pages=57)
    page = shown(client, review)
    assert "Pages 21 to 57 are not drawn here." in page
    assert address(review, 20) in page
    assert address(review, 21) not in page


def test_pictures_are_drawn_once(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    first = picture(content, 1)
    monkeypatch.setattr(pages, "_by_worker", lambda content: sys.exit("drawn again"))
    assert picture(content, 1) == first
    assert picture(content, 2) != first


def test_old_pictures_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "KEPT_BYTES", 100)
    kept = pages._Kept()
    for name in "abc":
        kept.put(name, [b"x" * 60])
    assert kept.get("a") is None
    assert kept.get("c") == [b"x" * 60]
