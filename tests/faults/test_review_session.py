"""The session ends, or the login changes, while a person types: nothing done, nothing lost."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview, AgentReviewVote
from executions.pages import kept
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_parts import LETTER
from tests.support.browsing import Browser

pytestmark = pytest.mark.django_db

PASSWORD = "quite a long password"
TYPED = "It took me ten minutes to find the words for this.\n\nTwo paragraphs of them."


@pytest.fixture
def rita() -> User:
    desk.load_sample_data()
    person = factories.person("rita", may=["approve_*", "view_*", "cancel_execution"])
    person.set_password(PASSWORD)
    person.save()
    return person


def logged_out(browser: Browser) -> None:
    """The session is over; the browser does not know, and has its page and its cookies."""
    assert Session.objects.all().delete()[0]


def kept_value(page: str) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', page)
    assert found
    return found[1]


def log_in(browser: Browser, page: str, **changes: str) -> int:
    """Fill in the login form that `page` shows, and send it."""
    next_page = re.search(r'name="next" value="([^"]*)"', page)
    assert next_page
    fields = {
        "username": "rita",
        "password": PASSWORD,
        "next": next_page[1],
        "kept": kept_value(page),
    }
    return browser.send(reverse("login"), {**fields, **changes})[0]


def expired_while_typing(rita: User) -> tuple[Browser, AgentReview, str]:
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review))
    logged_out(browser)
    status, page = browser.send(desk.url(review, "decide"), desk.form(review, "reject", TYPED))
    assert status == 401
    assert "nothing was done" in page
    return browser, review, page


def test_the_words_come_back_on_the_same_item_after_the_login(rita: User) -> None:
    """R13: text kept, log in again, still on the same item; only a person's press sends it."""
    browser, review, page = expired_while_typing(rita)
    assert not AgentReviewVote.objects.exists()
    assert log_in(browser, page) == 302
    assert browser.went_to == desk.url(review)
    shown = browser.load(desk.url(review))
    assert "Your words are back in the form; you were about to reject this." in shown
    assert shown.count("It took me ten minutes") >= 2
    assert not AgentReviewVote.objects.exists()
    again = desk.form(review, "reject", TYPED)
    assert browser.send(desk.url(review, "decide"), again)[0] == 302
    assert review.votes.get().reason == TYPED
    assert "Your words are back" not in browser.load(desk.url(review))


SHEETS = [
    ("decide", {"decision": "reject", "reason": TYPED, "then": "stop"}, "reject", "reason"),
    ("decide", {"decision": "approve", "reason": TYPED}, "confirm", "reason"),
    ("ask", {"question": TYPED}, "ask", "question"),
    ("cancel", {"reason": TYPED}, "cancel", "reason"),
    ("take-over", {"reason": TYPED, "from_whom": "somebody"}, "takeover", "reason"),
]


@pytest.mark.parametrize(("verb", "fields", "sheet", "field"), SHEETS)
def test_the_sheet_that_they_stood_in_opens_again(
    rita: User, verb: str, fields: dict[str, str], sheet: str, field: str
) -> None:
    """R13: with the words in it alone and the focus on them; nothing is decided by that."""
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=factories.reviewer("omar"))
    browser = Browser()
    browser.load(reverse("login"))
    _, page = browser.send(desk.url(review, verb), fields)
    log_in(browser, page)
    shown = browser.load(desk.url(review))
    assert re.findall(r'popovertarget="(\w+)"[^>]* data-again autofocus', shown) == [sheet]
    holding = [one for one in shown.split('<div class="sheet"')[1:] if "It took me" in one]
    assert [one.split('"')[1] for one in holding] == [sheet]
    assert re.search(rf'name="{field}"[^>]* autofocus', holding[0])
    assert 'role="alert"' not in holding[0]
    assert not AgentReviewVote.objects.exists()
    assert factories.fresh(review).claimed_by.username == "omar"


def test_a_take_over_that_was_taken_up_again_is_over(rita: User) -> None:
    """R13: words that were sent are not brought back once more; others are kept."""
    browser, review, page = expired_while_typing(rita)
    log_in(browser, page)
    taken = {"from_whom": "", "reason": TYPED}
    for typed_into, is_back in (("decide", True), ("take-over", False)):
        if typed_into == "take-over":
            logged_out(browser)
            _, page = browser.send(desk.url(review, "take-over"), taken)
            log_in(browser, page)
        assert browser.send(desk.url(review, "take-over"), taken)[0] == 302
        assert ("It took me" in browser.load(desk.url(review))) == is_back


def test_words_whose_sheet_is_gone_are_shown_to_copy(rita: User) -> None:
    """R13: somebody decided meanwhile."""
    browser, review, page = expired_while_typing(rita)
    operations.decide(
        review_id=review.pk,
        person=factories.reviewer("omar"),
        approve=True,
        seen_digest=review.input_digest,
    )
    log_in(browser, page)
    shown = browser.load(desk.url(review))
    assert "You had written:" in shown
    assert "It took me ten minutes" in shown
    assert "data-again" not in shown


def test_what_was_read_before_the_login_is_read_again(rita: User) -> None:
    """R13: somebody else may have logged in; the fold comes first, and the note is kept."""
    review = desk.proposed(arguments=LETTER)
    browser = Browser()
    browser.load(reverse("login"))
    form = {**desk.form(review, "approve", TYPED), "read": f"{review.pk}:body"}
    _, page = browser.send(desk.url(review, "decide"), form)
    log_in(browser, page)
    sheet = browser.load(desk.url(review)).split('id="confirm"')[1]
    assert re.search(r'name="read" value="[^"]+" required autofocus', sheet)
    assert "It took me ten minutes" in sheet


def test_a_mistyped_password_loses_nothing(rita: User) -> None:
    """R13: the words go through as many tries as the login takes."""
    browser, review, page = expired_while_typing(rita)
    fields = {"username": "rita", "password": "wrong", "next": desk.url(review)}
    status, page = browser.send(reverse("login"), {**fields, "kept": kept_value(page)})
    assert status == 200
    assert log_in(browser, page) == 302
    assert "It took me ten minutes" in browser.load(desk.url(review))


def test_an_edit_in_the_making_comes_back_field_by_field(rita: User) -> None:
    """R13: also the fields of an edit."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review, "edit"))
    logged_out(browser)
    fields = {
        "step": "check",
        "seen_digest": review.input_digest,
        "arg.to": desk.LETTER["to"][0],
        "arg.subject": "A much better subject",
        "arg.body": TYPED,
        "arg.attach_document_ids": "",
        "reason": "Tone.",
    }
    status, page = browser.send(desk.url(review, "edit"), fields)
    assert status == 401
    assert log_in(browser, page) == 302
    assert browser.went_to == desk.url(review, "edit")
    shown = browser.load(desk.url(review, "edit"))
    assert "Your words are back." in shown
    assert 'value="A much better subject"' in shown
    assert "It took me ten minutes" in shown
    assert browser.send(desk.url(review, "edit"), fields)[0] == 200


def test_the_reason_of_a_cancel_comes_back(rita: User) -> None:
    """R13: also on an execution's page."""
    review = desk.proposed()
    browser = Browser(rita)
    story = reverse("execution", args=[review.execution_id])
    browser.load(story)
    logged_out(browser)
    status, page = browser.send(f"{story}cancel/", {"reason": TYPED})
    assert status == 401
    assert log_in(browser, page) == 302
    assert browser.went_to == story
    assert "It took me ten minutes" in browser.load(story)
    assert factories.fresh(review.execution).status == "awaiting_review"


@pytest.mark.parametrize("forged", ["", "no signature", "eyJhIjoxfQ:1abc:def"])
def test_what_was_not_signed_by_us_is_not_kept(rita: User, forged: str) -> None:
    """R13: nobody fills a reviewer's form by a login form of their own."""
    browser, review, page = expired_while_typing(rita)
    assert log_in(browser, page, kept=forged) == 302
    assert "Your words are back" not in browser.load(desk.url(review))


def test_it_is_kept_for_an_hour(rita: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """R13: a login form from yesterday brings nothing back."""
    browser, review, page = expired_while_typing(rita)
    monkeypatch.setattr(kept, "GOOD_FOR_S", -1)
    assert log_in(browser, page) == 302
    assert "Your words are back" not in browser.load(desk.url(review))


def test_a_form_without_its_token_is_refused_before_anything_is_kept(rita: User) -> None:
    """R13: a form from elsewhere is not shown back, neither with a session nor without."""
    review = desk.proposed()
    for person in (rita, None):
        browser = Browser(person)
        browser.load(reverse("login"))
        form = {**desk.form(review, "reject", TYPED), "csrfmiddlewaretoken": "0" * 64}
        response = browser.client.post(
            desk.url(review, "decide"), form, headers={"origin": "https://elsewhere.example"}
        )
        assert response.status_code == 403
        assert "It took me" not in response.content.decode()


def test_a_page_from_before_another_login_shows_the_words_to_copy(rita: User) -> None:
    """R13: the token changed with the login in another tab: 403, and nothing typed is lost."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review))
    form = {**desk.form(review, "reject", TYPED), "csrfmiddlewaretoken": "0" * 64}
    status, page = browser.send(desk.url(review, "decide"), form)
    assert status == 403
    assert "What you had written" in page
    assert "It took me ten minutes" in page
    assert not AgentReviewVote.objects.exists()
