"""After a decision: the page counts down, follows the action to its end, and leads on."""

from __future__ import annotations

import re

import pytest
from django.core.mail import EmailMessage
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from tests import factories
from tests.browser.conftest import Site
from tests.browser.test_reviewing import approve
from tests.executions import desk
from tests.journeys.conftest import launch, until
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, REHEARSED, calls, text
from tests.support.standing_runner import standing_runner

pytestmark = pytest.mark.browser


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    return factories.reviewer("rita")


def seconds_left(page: Page) -> int:
    return int(page.get_by_role("timer").inner_text())


def test_it_counts_down_and_follows_the_letter_until_it_is_sent(
    site: Site, rita: User, llm: RehearsalServer, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.AGENTOPS_UNDO_S = 4
    execution = launch(REHEARSED.name, rehearse=[calls(LETTER), text()])
    with standing_runner(base_url=llm.base_url):
        review = until(execution, "awaiting_review").reviews.get()
    page = site.opened(rita)
    page.goto(desk.url(review))
    approve(page, "Send this e-mail")
    expect(page.get_by_text("Approved. It starts in")).to_be_visible()
    page.evaluate("() => { window.isSamePage = true }")
    take_back = page.get_by_role("button", name="Take it back")
    take_back.focus()
    first = seconds_left(page)
    page.wait_for_function(
        f"() => Number(document.querySelector('[role=timer]').innerText) < {first}"
    )
    expect(take_back).to_be_focused()
    with standing_runner(base_url=llm.base_url):
        expect(page.get_by_text("Approved, and done.")).to_be_visible()
        expect(
            page.get_by_text("Sent to ana.duarte@marlowe-shipping.example. Message id")
        ).to_be_visible()
    assert page.evaluate("() => window.isSamePage")
    assert len(mailoutbox) == 1
    assert page.locator("[hx-get*=outcome]").count() == 0
    expect(page.get_by_role("link", name="End of the list: back to the desk")).to_be_visible()


def test_a_start_shows_by_itself_and_the_page_is_not_loaded_again(site: Site, rita: User) -> None:
    review = desk.proposed()
    operations.decide(
        review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest
    )
    page = site.opened(rita)
    page.goto(desk.url(review))
    expect(page.get_by_text("as soon as a runner takes it up")).to_be_visible()
    page.evaluate("() => { window.isSamePage = true }")
    one = factories.fresh(review.execution)
    factories.change(one, status="running", lease_owner=review.pk, lease_token=one.lease_token + 1)
    factories.start(factories.fresh(review.call))
    expect(page.get_by_text("it is running now")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^Approved; it is running now\. Send an e-mail to ana"))
    assert page.evaluate("() => window.isSamePage")


def test_the_head_and_the_title_say_what_became_of_it(site: Site, rita: User) -> None:
    review, omar = desk.proposed(votes=2), factories.person("omar", may=["approve_*"])
    page = site.opened(rita)
    page.goto(desk.url(review))
    approve(page, "Send this e-mail")
    chips = page.locator("#chips")
    expect(chips).to_contain_text("1 of 2 votes")
    page.evaluate("() => { window.isSamePage = true }")
    chips.locator("time").focus()
    digest = review.input_digest
    operations.decide(review_id=review.pk, person=omar, approve=True, seen_digest=digest)
    page.evaluate("() => htmx.trigger(document.querySelector('#outcome [data-poll]'), 'seen')")
    expect(chips).to_contain_text("2 of 2 votes")
    expect(chips).to_contain_text("approved")
    expect(chips).to_be_focused()
    expect(page).to_have_title(re.compile(r"^Approved\. Send an e-mail to ana.* · AgentOps$"))
    assert page.evaluate("() => window.isSamePage")


def test_without_javascript_the_page_looks_again_by_itself(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita, java_script_enabled=False)
    page.goto(desk.url(review))
    approve(page, "Send this e-mail")
    expect(page.get_by_text("as soon as a runner takes it up")).to_be_visible()
    one = factories.fresh(review.execution)
    factories.change(one, status="running", lease_owner=review.pk, lease_token=one.lease_token + 1)
    factories.start(factories.fresh(review.call))
    expect(page.get_by_text("it is running now")).to_be_visible()
