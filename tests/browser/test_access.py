"""WCAG 2.2 AA for each state of a review and each sheet: nothing serious from axe, targets of 24
pixels, no focus behind the bar, no sideways scroll (test_pages.py looks at the other pages)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests import factories
from tests.browser import scene
from tests.browser.conftest import Site
from tests.browser.states import every_state
from tests.browser.test_pages import MODES, SETTLED, barriers, overflow
from tests.executions import desk
from tests.support.effort import Effort

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TO_POINT_AT = "button, summary, select, textarea, input:not([type=hidden]), a.btn"
# Whoever points at a label points at its box. Links within a sentence may be as high as its line.
SMALL = """(those) => [...document.querySelectorAll(those)]
  .map((one) => one.closest('label') || one)
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .filter((one) => !one.closest('.vh, .skip'))
  .filter((one) => {
    const {width, height} = one.getBoundingClientRect();
    return width < 23.5 || height < 23.5;
  }).map((one) => one.outerHTML.slice(0, 120))"""
SHEETS = "() => [...document.querySelectorAll('main .sheet')].map((one) => one.id)"
# SC 2.4.11: what has the focus is not wholly behind what sticks to the bottom.
OBSCURED = """() => {
  const bar = document.querySelector('section.bar');
  if (!bar) return [];
  const found = [];
  for (const one of document.querySelectorAll('main a, main button, main summary, main input')) {
    if (bar.contains(one) || one.closest('[popover]') || !one.checkVisibility()) continue;
    one.focus();
    const it = one.getBoundingClientRect(), over = bar.getBoundingClientRect();
    if (it.height && it.top >= over.top && it.bottom <= over.bottom) found.push(one.outerHTML);
  }
  return found.map((one) => one.slice(0, 120));
}"""


@pytest.mark.parametrize("mode", MODES)
def test_every_state_and_every_sheet_is_for_everybody(
    site: Site, mode: str, effort: Effort
) -> None:
    """The short form looks at all in light, and at two of them in dark and on a telephone."""
    desk.load_sample_data()
    reviews = every_state(factories.reviewer("rita"))
    page = site.opened(scene.administrator(), **MODES[mode])
    found = []
    for name, review in reviews.items():
        if mode != "light" and not effort.is_long and name not in ("waiting", "doubt"):
            continue
        page.goto(f"{desk.url(review)}?still")
        page.wait_for_function(SETTLED)
        found += [f"{name}: {one}" for one in faults(page)]
        found += [f"{name}, behind the bar: {one}" for one in page.evaluate(OBSCURED)]
        sheets = page.evaluate(
            "() => [...document.querySelectorAll('main .sheet')].map((s) => s.id)"
        )
        for sheet in sheets if name == "waiting" else ():
            page.evaluate("(id) => document.getElementById(id).showPopover()", sheet)
            found += [f"{name}, {sheet}: {one}" for one in faults(page)]
            page.evaluate("(id) => document.getElementById(id).hidePopover()", sheet)
        assert sheets or name != "waiting"
    assert not found, "\n".join(found)


def faults(page: Page) -> list[str]:
    wide = overflow(page)
    return [
        *barriers(page),
        *(f"smaller than 24 pixels: {one}" for one in page.evaluate(SMALL, TO_POINT_AT)),
        *([f"{wide} pixels too wide"] if wide else []),
    ]


def test_what_was_done_is_announced(site: Site) -> None:
    """SC 4.1.3: a reader that does not see the page hears it."""
    page = site.opened(scene.administrator())
    page.goto("/you/")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").filter(has_text="Saved").wait_for()
