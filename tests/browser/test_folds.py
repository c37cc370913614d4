"""What is folded has to be opened before anybody approves, with JavaScript and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from agentops.accounts.models import User
from executions.models import AgentReview, AgentReviewVote
from tests import factories
from tests.browser import scene
from tests.browser.conftest import Site
from tests.browser.test_reviewing import approve
from tests.executions import desk
from tests.executions.test_desk_parts import LETTER

pytestmark = pytest.mark.browser

ODD = {**LETTER, "more": list(range(99))}


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    return factories.reviewer("rita")


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Your decision")


def open_fold(page: Page, name: str) -> None:
    page.locator("details[data-read] > summary", has_text=name).click()


def test_it_is_locked_for_whoever_may_do_everything_else_too(site: Site, rita: User) -> None:
    """Their page has more forms on it."""
    review = desk.proposed(arguments=LETTER)
    page = site.opened(scene.administrator())
    page.goto(desk.url(review))
    expect(bar(page).get_by_role("button", name="Open 1 folded part first")).to_be_visible()


def test_approving_is_locked_until_every_fold_was_opened(site: Site, rita: User) -> None:
    review = desk.proposed(arguments=ODD)
    page = site.opened(rita)
    page.goto(desk.url(review))
    locked = bar(page).get_by_role("button", name="Open 2 folded parts first")
    locked.click()
    expect(page.locator("#confirm")).to_be_hidden()
    expect(page.locator("details[data-read] > summary").first).to_be_focused()
    open_fold(page, "Body")
    expect(bar(page).get_by_role("button", name="Open 1 folded part first")).to_be_visible()
    open_fold(page, "More")
    approve(page, "Send this e-mail")
    page.get_by_text("Approved").first.wait_for()
    assert AgentReviewVote.objects.get().review == review


def test_without_javascript_a_box_says_that_it_was_read(site: Site, rita: User) -> None:
    review = desk.proposed(arguments=LETTER)
    page = site.opened(rita, java_script_enabled=False)
    page.goto(desk.url(review))
    bar(page).get_by_role("button", name="Send this e-mail").click()
    page.get_by_label("I have read body").check()
    page.locator("#confirm").get_by_role("button", name="Send this e-mail").click()
    page.get_by_text("Approved").first.wait_for()
    assert AgentReviewVote.objects.get().vote == "approve"


def test_together_a_row_waits_for_its_own_fold(site: Site, rita: User) -> None:
    long, short = desk.proposed(arguments=LETTER, risk="low"), desk.proposed(risk="low")
    page = site.opened(rita)
    page.goto("/reviews/together/send_email/")

    def pick(review: AgentReview) -> Locator:
        return page.locator(f"input[name=seen][value^='{review.pk}']")

    expect(pick(long)).to_be_disabled()
    expect(pick(short)).to_be_checked()
    open_fold(page, "Body")
    expect(pick(long)).to_be_checked()
