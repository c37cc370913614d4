"""A person decides in the browser, and an agent goes on."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from playwright.sync_api import Page, expect

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from tests import factories
from tests.browser.conftest import Site
from tests.executions import desk
from tests.journeys.conftest import until
from tests.rehearsal_server import RehearsalServer
from tests.support.standing_runner import standing_runner

pytestmark = pytest.mark.browser

PASSWORD = "quite a long password"
STEWARD = "customer_record_steward"


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    person = factories.person("rita", may=["approve_*", "view_*"], first_name="Rita")
    person.set_password(PASSWORD)
    person.save()
    return person


def launched() -> AgentExecution:
    given = {"message_id": "M-2002"}
    return operations.launch(
        agent_type=STEWARD, input_data=given, user=factories.system()
    ).execution


def log_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Name").fill("rita")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def approve(page: Page, verb: str) -> None:
    page.get_by_role("region", name="Your decision").get_by_role("button", name=verb).click()
    page.locator("#confirm").get_by_role("button", name=verb).click()


def reject(page: Page, reason: str) -> None:
    page.get_by_role("region", name="Your decision").get_by_role("button", name="Reject").click()
    page.get_by_label("In your words", exact=True).fill(reason)
    page.locator("#reject").get_by_role("button", name="Reject").click()


def test_a_reviewer_approves_one_action_and_rejects_the_next(
    site: Site, rita: User, llm: RehearsalServer, mailoutbox: list[EmailMessage]
) -> None:
    execution = launched()
    with standing_runner(base_url=llm.base_url):
        until(execution, "awaiting_review")
        page = site.opened()
        log_in(page)
        expect(page.get_by_role("heading", name="1 action waits for you")).to_be_visible()
        page.get_by_role("link", name="Start with the first").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Change the")
        approve(page, "Change the record")
        # the page looks again by itself until the change is made
        expect(page.get_by_text("Approved, and done.")).to_be_visible(timeout=30_000)
        changed = execution.tool_calls.get(tool_name="update_customer_record")
        assert changed.status == "succeeded"

        letter = until(execution, "awaiting_review").reviews.get(status="open")
        page.goto(desk.url(letter))
        reject(page, "Write in French, please.")
        expect(page.get_by_text("Rejected. Nothing was done.")).to_be_visible()
        until(execution, "awaiting_review", "completed", "failed")
    assert mailoutbox == []
    assert factories.fresh(letter.call).status == "rejected"
    heard = llm.log("Write in French, please.")
    assert letter.call.provider_call_id in str(heard[-1]["body"])


def test_it_all_works_without_javascript(site: Site, rita: User) -> None:
    first, second = desk.proposed(), desk.proposed()
    page = site.opened(java_script_enabled=False)
    log_in(page)
    page.goto(desk.url(first))
    approve(page, "Send this e-mail")
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()
    page.get_by_role("link", name="Next review").first.click()
    reject(page, "Not this one.")
    expect(page.get_by_text("Rejected. Nothing was done.")).to_be_visible()
    assert factories.fresh(first).status == "approved"
    assert factories.fresh(second).status == "rejected"


def test_whoever_is_too_late_reads_it_and_keeps_the_words(site: Site, rita: User) -> None:
    site.watch.answers.add(409)
    review = desk.proposed()
    page = site.opened(rita)
    page.goto(desk.url(review))
    operations.decide(
        review_id=review.pk,
        person=factories.reviewer("omar"),
        approve=True,
        seen_digest=review.input_digest,
    )
    reject(page, "A reason that took a while to write.")
    expect(page.get_by_role("alert")).to_contain_text("omar approved this at")
    expect(page.get_by_role("alert")).to_contain_text("A reason that took a while to write.")


def test_a_double_click_votes_once(site: Site, rita: User) -> None:
    review = desk.proposed(votes=2)
    page = site.opened(rita)
    page.goto(desk.url(review))
    page.get_by_role("region", name="Your decision").get_by_role("button", name="Send").click()
    page.locator("#confirm").get_by_role("button", name="Send this e-mail").dblclick()
    expect(page.get_by_text("Your vote counts: 1 of 2.")).to_be_visible()
    assert review.votes.count() == 1


def test_a_doubt_is_settled_by_keyboard_alone(site: Site, rita: User) -> None:
    doubt = desk.in_doubt(factories.reviewer("omar"))
    page = site.opened(rita)
    page.goto(desk.url(doubt))
    page.get_by_role("radio", name="It happened.").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Message-ID found in the server's log")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Settled: it happened.")).to_be_visible()
    assert AgentReview.objects.get(pk=doubt.pk).votes.get().vote == "happened"


@pytest.mark.parametrize("size", [(640, 360), (320, 256)], ids=["landscape", "zoomed to 400 %"])
def test_a_low_window_is_left_to_what_is_read(
    site: Site, rita: User, size: tuple[int, int]
) -> None:
    """WCAG 1.4.10: nothing stays over the text, and the decision stands where the page ends."""
    page = site.opened(rita, viewport={"width": size[0], "height": size[1]})
    page.goto(desk.url(desk.proposed()))
    page.get_by_role("heading", name="What will happen").evaluate("one => one.scrollIntoView()")
    for place in (page.locator(".top"), page.locator(".bar")):
        expect(place).not_to_be_in_viewport()
    approve = page.get_by_role("button", name="Send this e-mail")
    approve.click()
    sheet = page.locator("#confirm")
    sheet.get_by_role("button", name="Send this e-mail").scroll_into_view_if_needed()
    expect(sheet.get_by_role("button", name="Send this e-mail")).to_be_in_viewport(ratio=1)
    assert page.evaluate("() => document.documentElement.scrollWidth") == size[0]
