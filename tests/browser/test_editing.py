"""A person edits what an agent proposed, takes an approval back, and is told what changed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.browser.conftest import Site
from tests.browser.test_reviewing import approve
from tests.executions import desk

pytestmark = pytest.mark.browser


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    return factories.person("rita", may=["approve_*", "view_*"], first_name="Rita")


def newest(review: AgentReview) -> AgentReview:
    return AgentReview.objects.filter(call=review.call_id).order_by("-version")[0]


def test_an_edit_is_made_without_javascript_and_approved_by_somebody_else(
    site: Site, rita: User
) -> None:
    """R5: a form of fields, what it changes, and a stale page answered with what changed."""
    site.watch.answers.add(409)
    review = desk.proposed()
    other = factories.reviewer("omar")
    stale = site.opened(other)
    stale.goto(desk.url(review))

    page = site.opened(rita, java_script_enabled=False)
    page.goto(desk.url(review))
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Subject").fill("Your yearly report")
    page.get_by_label("Why, for whoever approves it").fill("It is the yearly one.")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator("ins")).to_have_text(["yearly "])
    page.get_by_role("button", name="Back to the fields").click()
    expect(page.get_by_label("Subject")).to_have_value("Your yearly report")
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Put this before people").click()
    told = page.get_by_text("rita edited the arguments: It is the yearly one.")
    expect(told.first).to_be_visible()
    expect(page.get_by_text("You edited these arguments").first).to_be_visible()

    approve(stale, "Send this e-mail")
    changed = stale.get_by_role("region", name="What changed since your page")
    expect(changed).to_be_visible()
    expect(changed.locator("ins")).to_have_text(["yearly "])
    assert newest(review).votes.count() == 0
    approve(stale, "Send this e-mail")
    expect(stale.get_by_text("Approved.", exact=True)).to_be_visible()
    edited = factories.fresh(review.call)
    assert edited.status == "approved"
    assert edited.tool_input == {**desk.LETTER, "subject": "Your yearly report"}


def test_an_approval_is_taken_back_inside_its_window(
    site: Site, rita: User, settings: Settings
) -> None:
    """R4: the page counts down, and one press takes it back."""
    settings.AGENTOPS_UNDO_S = None
    review = desk.proposed()
    page = site.opened(rita)
    page.goto(desk.url(review))
    expect(page.get_by_text("can be taken back until then")).to_be_visible()
    approve(page, "Send this e-mail")
    expect(page.get_by_text("Approved. It starts in")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back before it started.")).to_be_visible()
    assert factories.fresh(review.call).status == "awaiting_review"
    assert newest(review).reason == "rita took the approval back."


def test_fields_say_what_is_wrong_with_them(site: Site, rita: User) -> None:
    site.watch.answers.add(422)
    record = desk.proposed("update_customer_record", desk.CHANGE)
    page = site.opened(rita)
    page.goto(desk.url(record, "edit"))
    page.get_by_label("Phone").fill("call me")
    page.get_by_role("button", name="See what changes").click()
    field = page.get_by_label("Phone")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".errors li")).to_contain_text("phone number")
    field.fill("+420 555 010 999")
    page.get_by_text("9 more fields, which stay as they are").click()
    page.get_by_label("Politically exposed").select_option("yes")
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Put this before people").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "telephone and politically exposed of"
    )
    changes = factories.fresh(record.call).tool_input["changes"]
    assert (changes["phone"], changes["politically_exposed"]) == ("+420 555 010 999", True)
