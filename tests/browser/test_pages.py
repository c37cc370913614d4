"""Every page in light, in dark and on a telephone: no barrier, no complaint, no sideways scroll."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django import Settings

from executions.models import AgentReview
from tests import factories
from tests.browser import scene
from tests.browser.conftest import DESKTOP, PHONE, Site
from tests.browser.test_reviewing import approve
from tests.executions import desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODES: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESKTOP, "color_scheme": "light"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True},
}
SETTLED = (
    "() => document.fonts.status === 'loaded' && !document.documentElement.hasAttribute('x-cloak')"
)


@pytest.mark.parametrize("mode", MODES)
def test_every_page_reads_well(site: Site, pictures: Path, mode: str, settings: Settings) -> None:
    settings.AGENTOPS_REHEARSAL = True
    addresses = scene.build()
    page = site.opened(scene.administrator(), **MODES[mode])
    wrong = []
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_function(SETTLED)
        wrong += [f"{name}: {barrier}" for barrier in barriers(page)]
        wrong += [f"{name} is {by} pixels too wide"] if (by := overflow(page)) else []
        picture(page, pictures / f"{name}-{mode}.png")
    assert not wrong, "\n".join(wrong)
    assert len(list(pictures.iterdir())) == len(addresses)


def barriers(page: Page) -> list[str]:
    """What axe finds that is serious or worse, each with where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def picture(page: Page, path: Path) -> None:
    """Take the whole page, with what sticks to the bottom at its bottom."""
    before = page.viewport_size or DESKTOP
    height = page.evaluate("() => document.documentElement.scrollHeight")
    page.set_viewport_size({"width": before["width"], "height": max(height, before["height"])})
    page.screenshot(path=path)
    page.set_viewport_size(before)


def overflow(page: Page) -> int:
    """By how many pixels the page scrolls sideways."""
    return int(
        page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


@pytest.mark.parametrize("mode", MODES)
def test_each_way_to_decide_reads_well_too(site: Site, pictures: Path, mode: str) -> None:
    addresses = scene.build()
    page = site.opened(scene.administrator(), **MODES[mode])
    page.goto(addresses["review_mail"])
    for sheet in ("reject", "confirm", "ask", "more", "cancel"):
        page.evaluate("(id) => document.getElementById(id).showPopover()", sheet)
        page.locator(f"#{sheet}").wait_for(state="visible")
        page.screenshot(path=pictures / f"{sheet}-{mode}.png")
        assert barriers(page) == [], sheet
        assert overflow(page) == 0, sheet


@pytest.mark.parametrize("mode", MODES)
def test_what_follows_a_form_reads_well_too(site: Site, pictures: Path, mode: str) -> None:
    site.watch.answers |= {409, 422}
    addresses = scene.build()
    record = addresses["edit_record"]
    stale = AgentReview.objects.get(tool_name="update_customer_record")
    page = site.opened(scene.administrator(), **MODES[mode])

    def reads_well(name: str) -> None:
        assert barriers(page) == [], name
        assert overflow(page) == 0, name
        picture(page, pictures / f"{name}-{mode}.png")

    for typed, name in (("call me", "edit_errors"), ("+420 555 010 999", "edit_confirm")):
        page.goto(record)
        page.get_by_label("Phone").fill(typed)
        page.get_by_role("button", name="See what changes").click()
        page.wait_for_load_state()
        reads_well(name)
    old = site.opened(factories.reviewer("omega"), **MODES[mode])
    old.goto(desk.url(stale))
    page.get_by_role("button", name="Put this before people").click()
    page.wait_for_url(lambda url: not url.endswith("/edit/"))
    approve(old, "Change the record")
    page = old
    page.get_by_role("heading", name="What changed since").wait_for()
    reads_well("stale")


def test_hostile_text_is_shown_and_does_nothing(site: Site) -> None:
    addresses = scene.build()
    page = site.opened(scene.administrator())
    for name in ("review_hostile", "story_hostile", "review_unreadable", "reviews"):
        page.goto(addresses[name])
        assert (
            page.locator("script:not([src^='/static/']), img, iframe:not([sandbox=''])").count()
            == 0
        ), name
        if name != "reviews":
            assert page.get_by_text("<script>alert('no')</script>").count() >= 1, name
            assert page.locator(".hid", has_text="U+202E").count() >= 1, name


def test_the_menu_of_a_telephone_opens_without_javascript(site: Site) -> None:
    addresses = scene.build()
    page = site.opened(scene.administrator(), viewport=PHONE, java_script_enabled=False)
    page.goto(addresses["reviews"])
    metrics = page.get_by_role("link", name="Metrics")
    expect(metrics).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    metrics.click()
    expect(page.get_by_role("heading", name="All agents together")).to_be_visible()
