"""A reviewer at the desk who has a keyboard and nothing else, and a look at each stage."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.keyboard import focused, press, press_on, tab_to
from tests.browser.test_pages import overflow, picture

MODES = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}


@dataclass
class Stages:
    """What the pages of the morning look like; pictures are taken when there is a folder.

    `took_s`: the time spent on looking, which no reviewer needs.
    """

    folder: Path | None
    seen: list[str] = field(default_factory=list)
    took_s: float = 0

    def look(self, page: Page, name: str) -> None:
        """Nothing may scroll sideways on a telephone."""
        began = time.monotonic()
        page.set_viewport_size(PHONE)
        assert overflow(page) == 0, name
        page.set_viewport_size(DESKTOP)
        self.seen.append(name)
        if self.folder is not None:
            self._pictures(page, self.folder / f"{len(self.seen):02}-{name}")
        self.took_s += time.monotonic() - began

    def _pictures(self, page: Page, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for mode, (scheme, size) in MODES.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            page.wait_for_load_state("networkidle")  # a page of a PDF is drawn when it is asked for
            picture(page, path.with_name(f"{path.name}-{mode}.png"))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)


@dataclass(frozen=True)
class AtDesk:
    """Each method presses the keys for one thing a reviewer does; none of them clicks."""

    page: Page
    stages: Stages

    def log_in(self, name: str, password: str) -> None:
        self.page.goto("/reviews/")
        expect(self.page.get_by_label("Name")).to_be_focused()
        self.page.keyboard.type(name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(password)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile("/reviews/$"))

    def look(self, name: str) -> None:
        self.stages.look(self.page, name)

    def press(self, *keys: str) -> None:
        press(self.page, *keys)

    def focused(self) -> str:
        return focused(self.page)

    def to_list(self) -> None:
        press_on(self.page, "g", "q")

    def open(self, words: str) -> None:
        """Go through the list to the row with these words, and open it."""
        self.to_list()
        self.go_to_row(words)
        press_on(self.page, "o")

    def go_to_row(self, words: str) -> None:
        """Down to the last row and from there up: the list begins where one was."""
        for key in ("j", "k"):
            before, at = None, focused(self.page)
            while at != before:
                if words in at:
                    return
                press(self.page, key)
                before, at = at, focused(self.page)
        raise AssertionError(f"no row says {words!r}; the first one: {focused(self.page)!r}")

    def claim(self, words: str) -> None:
        """Claim the row with these words, in the list."""
        self.to_list()
        self.go_to_row(words)
        press_on(self.page, "c")

    def next(self) -> None:
        """From one item straight to the next."""
        press_on(self.page, "n")

    def approve(self, look: str = "") -> None:
        sheet = self.page.locator("#confirm")
        press(self.page, "a")
        while not sheet.is_visible():  # it leads to what must be opened first
            expect(self.page.locator("summary:focus")).to_be_attached()
            press(self.page, "Enter", "a")
        if look:
            self.look(look)
        press_on(self.page, "Control+Enter")

    def reject(self, reason: str, look: str = "") -> None:
        press(self.page, "r")
        self._say(self.page.locator("#reject textarea"), reason, look)

    def ask(self, question: str, look: str = "") -> None:
        press(self.page, "q")
        self._say(self.page.locator("#ask textarea"), question, look)

    def edit(self, label: str, value: str, look: str = "") -> None:
        """Replace what stands in one field, see what changes, and put it before people."""
        press_on(self.page, "e")
        tab_to(self.page, self.page.get_by_label(label))
        press(self.page, "Control+a")
        self.page.keyboard.type(value)
        if look:
            self.look(f"{look}-form")
        press_on(self.page, "Control+Enter")
        if look:
            self.look(f"{look}-changes")
        tab_to(self.page, self.page.get_by_role("button", name="Put this before people"))
        press_on(self.page, "Enter")

    def settle(self, verdict: str, how: str, look: str = "") -> None:
        press(self.page, "s")
        choice = self.page.get_by_role("radio", name=verdict)
        while not choice.is_checked():
            press(self.page, "Space" if verdict == "It happened." else "ArrowDown")
        self._say(self.page.get_by_label("How you know"), how, look)

    def take_back(self, look: str = "") -> None:
        if look:
            self.look(look)
        press(self.page, "z")
        press_on(self.page, "Enter")

    def decide_alike(self, look: str = "") -> None:
        """Look at the alike ones on one page and approve all of them."""
        self.to_list()
        press_on(self.page, "b")
        if look:
            self.look(look)
        self.approve()

    def reads(self, words: str) -> None:
        """Wait until the page says so."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=30_000)

    def _say(self, where: Locator, words: str, look: str) -> None:
        tab_to(self.page, where)
        self.page.keyboard.type(words)
        if look:
            self.look(look)
        press_on(self.page, "Control+Enter")
