"""WCAG 2.2 AA for whatever page any address leads to, read from the site's list of addresses: the
administration's forms and histories, and the pages that say no, are among them."""

from __future__ import annotations

import pytest
from django.test import Client

from agentops.accounts.models import User
from tests.browser.conftest import Site
from tests.browser.test_pages import MODES, SETTLED, barriers, overflow
from tests.executions.relations import Relations
from tests.support.addresses import every_address
from tests.support.effort import Effort

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHORT = ("admin:accounts_user_add", "admin:auth_group_delete", "admin:view_on_site")
"""What the short form looks at: a form, a question, and a page that says that there is none."""

PEOPLE = ("super", "no-role", "nobody")


@pytest.mark.parametrize(
    "mode", [pytest.param(one, marks=[pytest.mark.long] * (one != "phone")) for one in MODES]
)
def test_whatever_page_is_answered_reads_well(site: Site, mode: str, effort: Effort) -> None:
    """In the long form as a superuser, as somebody without any right, and as nobody."""
    site.watch.answers |= {401, 403, 404}
    relations = Relations()
    wrong, looked_at = [], 0
    for who in PEOPLE if effort.is_long else PEOPLE[:1]:
        person = relations.people[who]
        page = site.opened(person, **MODES[mode])
        for address in every_address():
            url = address.url(relations.known(address.name))
            if not (effort.is_long or address.name in SHORT) or not is_page(person, url):
                continue
            page.goto(url)
            page.wait_for_function(SETTLED)
            looked_at += 1
            wrong += [f"{who}, {address.name}: {one}" for one in barriers(page)]
            wrong += [f"{who}, {address.name} is {by} wider"] if (by := overflow(page)) else []
    assert not wrong, "\n".join(wrong)
    assert looked_at >= (60 if effort.is_long else len(SHORT))


def is_page(person: User | None, url: str) -> bool:
    """Test if what is answered is a whole page, be it one that refuses."""
    client = Client(raise_request_exception=False)
    if person:
        client.force_login(person)
    response = client.get(url)
    return not response.streaming and b"<html" in response.content
