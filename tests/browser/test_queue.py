"""A list that stands open in a browser: told of what is new, and nothing moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from agentops.accounts.models import User
from executions import operations
from tests import factories
from tests.browser.conftest import PHONE, Site
from tests.executions import desk

pytestmark = pytest.mark.browser

TOLD_MS = 20_000  # a little more than from one question to the next


@pytest.fixture
def rita(site: Site) -> User:
    return factories.person("rita", may=["approve_*"], first_name="Rita", last_name="Hayes")


@pytest.fixture
def omar(site: Site) -> User:
    return factories.person("omar", may=["approve_*"], first_name="Omar", last_name="Haddad")


def hide(page: Page, is_hidden: bool) -> None:
    """Let the page believe that its tab is in the background, or in front again."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def test_new_and_decided_reviews_are_announced_and_nothing_moves(
    site: Site, rita: User, omar: User
) -> None:
    first, second = desk.proposed(), desk.proposed(expires_in=timedelta(days=8))
    page = site.opened(rita)
    page.goto("/reviews/")
    rows = page.locator(".task")
    row = page.locator(f"#review-{second.pk}")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/reviews/" in one.url else None)
    hide(page, True)
    desk.proposed(expires_in=timedelta(hours=1))  # more urgent than all of those
    operations.decide(
        review_id=second.pk, person=omar, approve=True, seen_digest=second.input_digest
    )
    operations.claim(review_id=first.pk, person=omar)
    page.evaluate(
        "document.querySelectorAll('[data-poll]').forEach(one => htmx.trigger(one, 'seen'))"
    )
    assert asked == []  # a tab that nobody sees asks for nothing

    hide(page, False)
    announced = page.locator("[aria-live=polite]")
    expect(announced).to_contain_text("1 new", timeout=TOLD_MS)
    expect(announced).to_contain_text("1 below is decided by now. Nothing below has moved.")
    expect(row).to_contain_text("Omar Haddad approved this")
    expect(page.locator(f"#review-{first.pk}")).to_contain_text("Omar Haddad is on this")
    expect(page.locator("#menu .count")).to_contain_text("2 waiting for you", timeout=TOLD_MS)
    operations.release(review_id=first.pk, person=omar)
    hide(page, False)
    expect(page.locator(f"#review-{first.pk} [data-became]")).to_be_hidden()
    expect(rows).to_have_count(2)
    announced.get_by_role("link", name="Show it").click()
    expect(rows).to_have_count(2)
    expect(row).to_have_count(0)


def test_whoever_is_not_logged_in_any_more_keeps_the_page_as_it_is(site: Site, rita: User) -> None:
    desk.proposed()
    page = site.opened(rita)
    page.goto("/reviews/")
    page.context.clear_cookies()
    with page.expect_response(lambda one: "/login/" in one.url):
        hide(page, False)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#menu .count")).to_have_text("1 waiting for you")
    expect(page.locator(".news")).to_be_empty()


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, {"viewport": PHONE}])
def test_one_searches_narrows_claims_and_goes_through(
    site: Site, rita: User, options: dict[str, object]
) -> None:
    desk.load_sample_data()
    other = desk.proposed("update_customer_record", desk.CHANGE)
    letters = [desk.proposed(expires_in=timedelta(days=days)) for days in (1, 2)]
    page = site.opened(rita, **options)
    page.goto("/reviews/")
    page.get_by_role("searchbox").fill("ana.duarte")
    if "viewport" in options:
        page.get_by_role("button", name="Filter").click()
    page.get_by_label("Risk").select_option("medium")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".task")).to_have_count(2)
    expect(page.locator(f"#review-{other.pk}")).to_have_count(0)
    page.locator(f"#review-{letters[0].pk}").get_by_role("button", name="Claim").click()
    expect(page.locator(f"#review-{letters[0].pk}")).to_contain_text("You")
    expect(page.locator(".task")).to_have_count(2)
    page.get_by_role("link", name="Start with the first").click()
    page.get_by_role("link", name="Skip this one").click()
    expect(page).to_have_url(
        f"{site.url}{desk.url(letters[1])}?from=q%3Dana.duarte%26risk%3Dmedium"
    )
    page.get_by_role("link", name="Skip this one").click()
    expect(page.get_by_text("That was the last of these.")).to_be_visible()
    page.get_by_role("link", name="medium risk").click()
    expect(page).to_have_url(f"{site.url}/reviews/?q=ana.duarte")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
