"""An execution's page, open while the execution goes on."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import PHONE, Site
from tests.executions import desk

pytestmark = pytest.mark.browser

SEEN = "() => htmx.trigger(document.querySelector('#follow [data-poll]'), 'seen')"


def test_its_first_step_takes_the_place_of_there_being_none(site: Site) -> None:
    one = factories.execution()
    page = site.opened(factories.person("olga", may=["view_*"]))
    page.goto(f"/executions/{one.pk}/")
    expect(page.get_by_text("No step yet")).to_be_visible()
    factories.change(one, status="running", lease_owner=uuid4(), lease_token=1)
    desk.think(one, "I begin.")
    page.evaluate(SEEN)
    expect(page.locator("#steps .step")).to_have_count(1)
    expect(page.get_by_text("No step yet")).to_have_count(0)
    expect(page.locator("#steps-count")).to_contain_text("1 step,")


def test_it_keeps_up_without_moving_what_one_looks_at(site: Site) -> None:
    one = factories.running()
    for number in range(3):
        desk.think(one, f"Thought {number}. " + "I look at it. " * 90)
    page = site.opened(factories.person("olga", may=["view_*", "cancel_execution"]))
    page.goto(f"/executions/{one.pk}/")
    page.evaluate("() => { window.isSamePage = true }")
    second = page.locator("#step-3 > summary")
    second.click()
    second.focus()
    second.hover()
    before = second.bounding_box()
    desk.think(one, "And one more.")
    factories.change(factories.fresh(one), cancel_requested_at=Now())
    page.evaluate(SEEN)
    expect(page.locator("#steps .step")).to_have_count(4)
    expect(page.get_by_role("heading", level=1)).to_have_text("Is being cancelled")
    expect(page.locator("#step-3")).to_have_attribute("open", "")
    expect(second).to_be_focused()
    after = second.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2

    page.get_by_role("button", name="Cancel").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_label("Why, for the record").fill("It is enough")
    ended = {"status": "cancelled", "lease_owner": None, "completed_at": Now()}
    factories.change(factories.fresh(one), **ended, stop_reason="CANCELLED", error="CANCELLED: x")
    page.evaluate(SEEN)
    expect(sheet.get_by_label("Why, for the record")).to_have_value("It is enough")
    sheet.get_by_role("button", name="Back").click()
    page.evaluate(SEEN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")
    expect(page).to_have_title(re.compile("cancelled"))
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert page.locator("[hx-get*=followed]").count() == 0
    assert page.locator("#moments tr").count() == one.audit.count()
    assert page.evaluate("() => window.isSamePage")


def test_a_telephone_shows_each_moment_whole(site: Site) -> None:
    one = desk.proposed().execution
    page = site.opened(factories.person("olga", may=["view_*"]), viewport=PHONE)
    page.goto(f"/executions/{one.pk}/")
    table = page.locator("table.moments")
    assert table.evaluate("one => one.parentElement.scrollWidth <= one.parentElement.clientWidth")
    expect(table.get_by_role("cell", name="the system").last).to_be_visible()
