"""The page says in time that the login ends; one press, and the person goes on typing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import expect

from executions.pages.staying import UNTIL, WARN_S
from tests import factories
from tests.browser import scene
from tests.browser.conftest import Site
from tests.executions import desk

pytestmark = pytest.mark.browser


def leave(seconds: int) -> SessionStore:
    """Leave so much of the only login's time."""
    session = SessionStore(Session.objects.get().session_key)
    session[UNTIL] = int(time.time()) + seconds
    session.save()
    return session


def test_a_person_who_types_for_hours_is_warned_and_can_stay(site: Site, pictures: Path) -> None:
    rita = factories.reviewer("rita")
    desk.load_sample_data()
    # no mail: its sandboxed frame would complain of the clock that is put into every frame
    review = desk.proposed("update_customer_record", desk.CHANGE)
    page = site.opened(rita)
    page.clock.install()
    page.goto(desk.url(review))
    notice = page.locator("#stay")
    until_warned_s = settings.SESSION_COOKIE_AGE - WARN_S

    # somebody at work in another tab: no word of it
    page.clock.fast_forward(until_warned_s * 1000)
    expect(notice).to_be_hidden()

    page.get_by_role("button", name="Reject").click()
    page.locator("#reject textarea").fill("It takes me hours")
    leave(WARN_S - 60)
    with page.expect_response("**/you/stay/"):
        page.clock.fast_forward(until_warned_s * 1000)
    page.screenshot(path=pictures / "stay.png")
    expect(notice).to_contain_text("Your login ends in a few minutes.")
    expect(page.locator("#reject textarea")).to_be_focused()  # no timer takes the focus

    page.get_by_role("button", name="Stay logged in").press("Enter")
    expect(notice).to_be_hidden()
    assert leave(WARN_S - 60)[UNTIL] < time.time() + WARN_S

    with page.expect_response("**/you/stay/"):
        page.clock.fast_forward(until_warned_s * 1000)
    expect(notice).to_be_visible()
    Session.objects.all().delete()
    page.clock.fast_forward(WARN_S * 1000)
    expect(notice).to_contain_text("Your login has ended.")
    expect(page.get_by_role("button", name="Stay logged in")).to_be_hidden()
    expect(page.locator("#reject textarea")).to_have_value("It takes me hours")


@pytest.mark.long
def test_the_administration_warns_too(site: Site, pictures: Path) -> None:
    page = site.opened(scene.administrator())
    page.clock.install()
    page.goto(reverse("admin:accounts_user_changelist"))
    session = leave(WARN_S - 60)
    with page.expect_response("**/you/stay/"):
        page.clock.fast_forward((settings.SESSION_COOKIE_AGE - WARN_S) * 1000)
    notice = page.locator("#stay")
    expect(notice).to_contain_text("Your login ends in a few minutes.")
    page.screenshot(path=pictures / "stay_admin.png")
    page.get_by_role("button", name="Stay logged in").click()
    expect(notice).to_be_hidden()
    assert SessionStore(session.session_key)[UNTIL] > time.time() + WARN_S
