"""Working a page by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

LISTENS = "html[data-keys]"
MOST_TABS = 60


def press(page: Page, *keys: str) -> None:
    """Press one after the other on a page whose script has begun to listen.

    After what leads to another page, first expect something of that one.
    """
    page.locator(LISTENS).wait_for(state="attached")
    for key in keys:
        page.keyboard.press(key)


def press_on(page: Page, *keys: str) -> None:
    """Press what leads to another page, or to this one anew, and wait until that one listens."""
    page.locator(LISTENS).wait_for(state="attached")
    page.evaluate("() => { document.documentElement.dataset.left = '' }")
    press(page, *keys)
    page.locator(f"{LISTENS}:not([data-left])").wait_for(state="attached")


def tab_to(page: Page, wanted: Locator, *, key: str = "Tab") -> None:
    """Press Tab until `wanted` has the focus: whoever cannot get there that way fails here."""
    wanted.wait_for(state="visible")
    for _ in range(MOST_TABS):
        if wanted.evaluate("wanted => wanted === document.activeElement"):
            return
        press(page, key)
    raise AssertionError(f"not reached by {key}: {wanted}; there is {focused(page)!r}")


def focused(page: Page) -> str:
    """Return the words of what has the focus; nothing when the page itself has it."""
    said = (
        "() => document.activeElement === document.body ? '' : document.activeElement.textContent"
    )
    return str(page.evaluate(said)).strip()
