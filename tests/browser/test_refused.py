"""After a refusal or a login one goes on where one was: the sheet, the words, the field."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.browser.conftest import Site
from tests.browser.test_folds import bar
from tests.executions import desk
from tests.executions.test_desk_confirm import filing
from tests.executions.test_desk_parts import LETTER
from tools.models import Regulator

pytestmark = pytest.mark.browser

PASSWORD = "quite a long password"


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    return factories.reviewer("rita")


def type_the_wrong_name(page: Page, review: AgentReview) -> None:
    page.goto(desk.url(review))
    bar(page).get_by_role("button", name="File this report").click()
    page.get_by_label("To do it for real").fill("the one in Utrecht")
    page.get_by_label("Note, if you like").fill("As agreed with Ana")
    page.locator("#confirm").get_by_role("button", name="File this report").click()


@pytest.mark.parametrize("javascript", [True, pytest.param(False, marks=pytest.mark.long)])
def test_the_sheet_is_open_again_at_the_field_at_fault(
    site: Site, rita: User, javascript: bool
) -> None:
    site.watch.answers.add(422)
    desk.report()
    review = filing("LIVE")
    page = site.opened(rita, java_script_enabled=javascript)
    type_the_wrong_name(page, review)
    go_on = page.get_by_role("button", name="Go on where you were")
    if not javascript:
        expect(go_on).to_be_focused()
        page.keyboard.press("Enter")
    typed = page.get_by_label("To do it for real")
    expect(typed).to_be_focused()
    expect(typed).to_have_value("the one in Utrecht")
    expect(typed).to_have_accessible_description(
        "This is for real. To approve it, type exactly: "
        + Regulator.objects.get(pk="REG-NFSA").name
    )
    expect(page.locator("#confirm [role=alert]")).to_contain_text("This is for real.")
    expect(page.get_by_label("Note, if you like")).to_have_value("As agreed with Ana")
    page.keyboard.press("Escape")
    expect(typed).to_be_hidden()
    expect(go_on).to_be_focused()
    page.keyboard.press("Enter")
    typed.fill(Regulator.objects.get(pk="REG-NFSA").name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your vote counts: 1 of 2.")).to_be_visible()
    assert review.votes.get().reason == "As agreed with Ana"


@pytest.mark.long
def test_what_was_not_read_is_gone_on_with_at_its_fold(site: Site, rita: User) -> None:
    site.watch.answers.add(422)
    review = desk.proposed(arguments=LETTER)
    page = site.opened(rita)
    page.goto(desk.url(review))
    page.evaluate("() => document.querySelector('#confirm').showPopover()")
    page.get_by_label("Note, if you like").fill("Sent in haste")
    page.evaluate("() => document.querySelector('#confirm form').submit()")
    fold = page.locator("details[data-read] > summary")
    expect(fold).to_be_focused()
    expect(fold).to_have_accessible_description(re.compile("^You have not opened body"))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Go on where you were").click()
    expect(page.get_by_label("Note, if you like")).to_have_value("Sent in haste")
    page.locator("#confirm").get_by_role("button", name="Send this e-mail").click()
    page.get_by_text("Approved").first.wait_for()
    assert review.votes.get().reason == "Sent in haste"


@pytest.mark.parametrize("javascript", [True, pytest.param(False, marks=pytest.mark.long)])
def test_what_was_typed_before_a_login_stands_in_its_sheet_again(
    site: Site, rita: User, javascript: bool
) -> None:
    site.watch.answers.add(401)
    rita.set_password(PASSWORD)
    rita.save()
    review = desk.proposed()
    page = site.opened(rita, java_script_enabled=javascript)
    page.goto(desk.url(review))
    bar(page).get_by_role("button", name="Ask the agent").click()
    question = page.get_by_label("Your question")
    question.fill("Who told you so?")
    Session.objects.all().delete()
    page.locator("#ask").get_by_role("button", name="Ask the agent").click()
    page.get_by_label("Name").fill("rita")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    go_on = page.get_by_role("button", name="Go on where you were")
    if not javascript:
        expect(go_on).to_be_focused()
        page.keyboard.press("Enter")
    expect(question).to_be_focused()
    expect(question).to_have_value("Who told you so?")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(go_on).to_be_focused()
    assert not review.votes.exists()
