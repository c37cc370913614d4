"""Working a page by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page

LISTENS = "html[data-keys]"


def press(page: Page, *keys: str) -> None:
    """Press one after the other on a page whose script has begun to listen.

    After what leads to another page, first expect something of that one.
    """
    page.locator(LISTENS).wait_for(state="attached")
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> str:
    """Return the words of what has the focus."""
    return str(page.evaluate("() => document.activeElement.textContent.trim()"))
