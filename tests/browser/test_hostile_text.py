"""Stored text does nothing in a browser either: nothing runs, loads, asks or covers anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import scene
from tests.browser.conftest import Site
from tests.executions import hostile
from tests.support.effort import Effort

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The short form: a page of each kind.
KINDS = (
    *(
        "review letter that is taken",
        "review unfit",
        "review change",
        "review report",
        "review filing",
    ),
    *("review unknown tool", "review edited", "review claimed", "review_doubt", "story asked"),
    *("edit change", "reviews", "search", "together", "switches", "metrics", "launch_form"),
    *("admin:executions_agentexecution_changelist", "admin:executions_agentexecution_change"),
    *("admin:executions_agenttoolcall_change", "admin:accounts_user_change"),
)
REPORTS = """
window.reports = [];
document.addEventListener('securitypolicyviolation', (e) => window.reports.push(e.blockedURI));
"""
# What is there that neither a template of ours nor Unfold's has put there.
STRANGE = """() => [
  ...[...document.querySelectorAll('script')].filter(
    (one) => !one.src.startsWith(origin + '/static/') && one.src !== origin + '/admin/jsi18n/'),
  ...document.querySelectorAll('object, embed, applet, base, frame, math, style'),
  ...document.querySelectorAll('iframe:not([sandbox=""])'),
  ...[...document.querySelectorAll('img, link, form, a')].filter((one) => {
    const place = one.src || one.href || one.action || origin;
    return typeof place === 'string' && !/^data:image/.test(place) && !place.startsWith(origin);
  }),
  ...[...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(
    ({name, value}) => name.startsWith('on') || (name !== 'value' && /pwn\\d+x.*[(]/i.test(name))
  )),
].map((one) => one.outerHTML.slice(0, 200))"""
ADMINS_OWN = ("<style", "<base", '<script id="', "<script>", '<a href="https://unfold')


def test_no_page_does_what_stored_text_says(site: Site, effort: Effort) -> None:
    site.watch.answers |= {400, 403, 404, 405}
    pages = hostile.build()
    assert pages.keys() >= set(KINDS)
    page = site.opened(scene.administrator())
    page.add_init_script(REPORTS)
    found = []
    for name, address in pages.items():
        if not effort.is_long and name not in KINDS:
            continue
        assert page.goto(address)
        found += [f"{name}: {one}" for one in strange(page, is_admin="/admin/" in page.url)]
        found += [f"{name}: {one}" for one in page.evaluate("() => window.reports")]
        found += [f"{name}: {one}" for one in site.watch.found]
        site.watch.found.clear()
    assert not found, "\n".join(found)


def strange(page: Page, *, is_admin: bool) -> list[str]:
    """Open every fold and every sheet, then return the nodes that no template put there."""
    page.evaluate(
        "() => { for (const fold of document.querySelectorAll('details')) fold.open = true; }"
    )
    nodes: list[str] = page.evaluate(STRANGE)
    return [one for one in nodes if not (is_admin and one.startswith(ADMINS_OWN))]
