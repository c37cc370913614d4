"""The desk by keyboard: keys press what is there to be pressed, and none decides by itself."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from playwright.sync_api import Route, expect

from agentops.accounts.keys import strokes_of
from agentops.accounts.models import User
from tests import factories
from tests.browser.conftest import Site
from tests.browser.keyboard import focused, press
from tests.browser.test_pages import barriers
from tests.executions import desk

pytestmark = pytest.mark.browser

KEYS = "abcdefghijklmnopqrstuvwxyzAR0/?."


@pytest.fixture
def rita(site: Site) -> User:
    desk.load_sample_data()
    return factories.person("rita", may=["approve_*", "view_*"], first_name="Rita")


def test_j_and_k_move_the_focus_from_row_to_row(site: Site, rita: User) -> None:
    for number in range(30):
        desk.proposed(arguments={**desk.LETTER, "subject": f"Letter {number:02}"})
    page = site.opened(rita, viewport={"width": 1000, "height": 500})
    page.goto("/reviews/")
    acts = page.locator(".task .act").all_inner_texts()
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        press(page, key)
        assert focused(page) == acts[at], key
    press(page, *"j" * 29)
    assert focused(page) == acts[29]
    press(page, "j")
    row = page.locator(".task", has=page.locator(":focus"))
    assert focused(page) == acts[29]
    expect(row).to_be_in_viewport(ratio=1)
    assert "inset" in row.evaluate("row => getComputedStyle(row).boxShadow")

    press(page, "o")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Letter 29")
    press(page, "u")
    expect(page).to_have_url(f"{site.url}/reviews/")
    press(page, "j")  # on from where one was
    assert focused(page) == acts[29]
    press(page, "k", "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Letter 28")


def test_a_opens_the_confirmation_and_only_the_chord_confirms_it(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita)
    page.goto(desk.url(review))
    sheet = page.locator("#confirm")
    press(page, "a")
    expect(sheet).to_be_visible()
    expect(sheet).to_be_focused()
    press(page, "a", "r", "Enter", "g", "q")  # keys rest while a sheet is open
    expect(sheet).to_be_visible()
    press(page, "Escape")
    expect(sheet).not_to_be_visible()
    press(page, "Control+Enter")  # nothing is open, so nothing is confirmed
    assert factories.fresh(review).votes.count() == 0
    press(page, "a", "Control+Enter")
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()
    assert factories.fresh(review).status == "approved"


def test_r_asks_for_the_reason_and_letters_go_into_it(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita)
    page.goto(desk.url(review))
    press(page, "r")
    reason = page.get_by_label("In your words", exact=True)
    expect(reason).to_be_focused()
    page.keyboard.type("a quaint uncle, e.g. Jack")
    expect(reason).to_have_value("a quaint uncle, e.g. Jack")
    press(page, "Meta+Enter")
    expect(page.get_by_text("Rejected. Nothing was done.")).to_be_visible()
    assert factories.fresh(review).votes.get().reason == "a quaint uncle, e.g. Jack"


def test_the_chord_confirms_a_cancel_too_once_it_has_a_reason(site: Site) -> None:
    chief = factories.person("chief", may=["approve_*", "view_*", "cancel_execution"])
    desk.load_sample_data()
    review = desk.proposed()
    page = site.opened(chief)
    page.goto(desk.url(review))
    page.get_by_role("button", name="More decisions").click()
    page.locator("#more").get_by_role("button", name="Cancel the execution").click()
    press(page, "Control+Enter")  # it needs a reason
    assert factories.fresh(review).status == "open"
    page.keyboard.type("the customer has left")
    press(page, "Control+Enter")
    expect(page.get_by_text("The execution is cancelled. This was not done.")).to_be_visible()


def test_a_key_on_its_own_never_sends_a_form(site: Site, rita: User) -> None:
    """Every key there is, on a page with every form the desk has for it: none but a claim, which
    decides nothing, is sent."""
    doubt, other = desk.in_doubt(factories.reviewer("omar")), desk.proposed()
    page = site.opened(rita)
    asked: list[str] = []

    def stay(route: Route) -> None:
        asked.append(f"{route.request.method} {route.request.url.removeprefix(site.url)}")
        route.fulfill(status=204)  # on which a browser stays where it is

    for address in (
        "/reviews/",
        desk.url(doubt),
        desk.url(other),
        desk.url(other, "edit"),
        "/you/",
    ):
        page.goto(address)
        page.route("**/*", stay)
        for key in KEYS:
            press(page, key, "Escape")
        page.unroute("**/*")
    sent = [place for method, place in map(str.split, asked) if method != "GET"]
    assert all(place.partition("?")[0].endswith("/claim/") for place in sent)
    assert sent
    assert f"GET {desk.url(other, 'edit')}" in asked
    assert not factories.fresh(other).votes.exists()
    page.goto(desk.url(doubt))
    press(page, "s")
    expect(page.get_by_role("radio", name="It happened.")).to_be_focused()


def test_two_strokes_lead_to_the_desk_and_to_the_metrics(site: Site, rita: User) -> None:
    page = site.opened(rita)
    page.goto("/you/")
    press(page, "g", "m")
    expect(page).to_have_url(f"{site.url}/metrics/")
    press(page, "m", "g", "x", "q", "g", "q")
    expect(page).to_have_url(f"{site.url}/reviews/")


def test_keys_rest_with_modifiers_and_in_fields(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita)
    page.goto(desk.url(review))
    press(page, "Control+e", "Alt+a", "Meta+r")
    expect(page.locator(":popover-open")).to_have_count(0)
    assert page.url.endswith(desk.url(review))
    press(page, "e")
    expect(page).to_have_url(f"{site.url}{desk.url(review, 'edit')}")
    page.get_by_label("Subject").press("End")
    press(page, "u")
    expect(page.get_by_label("Subject")).to_have_value("Your reportu")
    press(page, "Control+Enter")
    expect(page.locator("ins")).to_have_text(["reportu"])
    press(page, "u")
    expect(page).to_have_url(f"{site.url}{desk.url(review)}")


def every_key() -> set[str]:
    """Every key that a template or a place of the side has something for."""
    usual = strokes_of({})
    found = {"g q", "g m"}
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        actions = re.findall(r'data-key="{{ user.strokes.(\w+) }}"', template.read_text())
        found |= {usual[action] for action in actions}
    assert len(found) > 10
    return found


def test_the_help_lists_the_keys_and_leads_to_turning_them_off(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita)
    page.goto("/reviews/")
    press(page, "?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("approve; it asks first")
    assert barriers(page) == []
    assert every_key() <= set(sheet.locator("dt").all_inner_texts())
    sheet.get_by_role("link", name="Change keys or turn them off").click()
    box = page.get_by_label("Single keys do something")
    expect(box).to_be_checked()
    box.press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    for address in ("/reviews/", desk.url(review), "/you/"):
        page.goto(address)
        assert page.locator("script[src*='keys.js'], #keys").count() == 0, address
    page.goto("/reviews/")
    for key in "joa?":
        page.keyboard.press(key)
    assert page.url == f"{site.url}/reviews/"
    expect(page.locator(":popover-open")).to_have_count(0)


@pytest.mark.long
def test_a_person_puts_keys_elsewhere_and_the_help_shows_theirs(site: Site, rita: User) -> None:
    site.watch.answers.add(422)
    for number in range(2):
        desk.proposed(arguments={**desk.LETTER, "subject": f"Letter {number}"})
    page = site.opened(rita)
    page.goto("/you/")
    page.get_by_label("Next row").fill("k")
    page.get_by_label("Approve").fill("x")
    page.get_by_role("button", name="Save").click()
    fault = page.get_by_label("Next row")
    expect(fault).to_have_accessible_description("“k” is the key to “row before”, too.")
    assert barriers(page) == []
    fault.fill("+")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.goto("/reviews/")
    press(page, "j")
    assert focused(page) == ""
    press(page, "+", "+")
    assert "Letter 1" in focused(page)
    press(page, "?")
    expect(page.locator("#keys div", has_text="approve; it asks first").first).to_contain_text("x")
    press(page, "Escape", "o", "a")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Letter 1")
    expect(page.locator("#confirm")).to_be_hidden()
    press(page, "x")
    expect(page.locator("#confirm")).to_be_visible()


def test_without_javascript_nothing_speaks_of_keys(site: Site, rita: User) -> None:
    review = desk.proposed()
    page = site.opened(rita, java_script_enabled=False)
    for address in ("/reviews/", desk.url(review)):
        page.goto(address)
        expect(page.get_by_role("button", name="Keys")).to_be_hidden()
    shown = "button => getComputedStyle(button, '::after').content"
    assert page.locator(".btn[data-key=a]").evaluate(shown) == "none"
