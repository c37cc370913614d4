"""A login lasts while a person works, and no page keeps it alive by itself."""

from __future__ import annotations

import re
import time

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from executions.pages.staying import RENEW_AFTER_S, UNTIL
from tests import factories

pytestmark = pytest.mark.django_db

WHOLE_S = settings.SESSION_COOKIE_AGE


@pytest.fixture
def worker(client: Client) -> Client:
    client.force_login(factories.reviewer("rita"))
    return client


def left(client: Client) -> int:
    return int(client.get(reverse("stay"), headers={"Sec-Fetch-Mode": "cors"}).json()["left_s"])


def idle(client: Client, seconds: int) -> None:
    """Let so much of the login's time pass."""
    session = client.session
    session[UNTIL] = int(time.time()) + WHOLE_S - seconds
    session.save()


def test_a_login_begins_with_its_whole_time(worker: Client) -> None:
    assert left(worker) == pytest.approx(WHOLE_S, abs=30)


def test_a_page_that_a_person_asks_for_prolongs_it(worker: Client) -> None:
    idle(worker, WHOLE_S - 60)
    before = Session.objects.get().expire_date
    response = worker.get(reverse("reviews"))
    assert response.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == WHOLE_S
    assert Session.objects.get().expire_date > before
    assert left(worker) == pytest.approx(WHOLE_S, abs=30)


def test_what_a_page_fetches_by_itself_does_not(worker: Client) -> None:
    idle(worker, WHOLE_S - 60)
    for mode in ("cors", "no-cors", "same-origin"):
        worker.get(reverse("reviews"), headers={"Sec-Fetch-Mode": mode})
    assert left(worker) <= 60


def test_it_is_not_written_at_every_page(worker: Client) -> None:
    idle(worker, RENEW_AFTER_S - 30)
    before = Session.objects.get().session_data
    worker.get(reverse("reviews"))
    assert Session.objects.get().session_data == before


def test_one_press_prolongs_it(worker: Client) -> None:
    idle(worker, WHOLE_S - 60)
    told = worker.post(reverse("stay"), headers={"Sec-Fetch-Mode": "cors"})
    assert told.json()["left_s"] == pytest.approx(WHOLE_S, abs=30)
    assert left(worker) == pytest.approx(WHOLE_S, abs=30)


def test_whoever_is_not_logged_in_has_nothing_to_prolong(client: Client) -> None:
    for response in (client.get(reverse("stay")), client.post(reverse("stay"))):
        assert response.status_code == 302
    assert 'id="stay"' not in client.get(reverse("login")).content.decode()


def test_the_administration_warns_as_our_pages_do(client: Client) -> None:
    client.force_login(factories.person("ada", is_superuser=True, is_staff=True))
    for address, lost in ((reverse("admin:index"), True), (reverse("you"), False)):
        page = client.get(address).content.decode()
        shown = re.search(r'id="stay" [^>]*data-left="(\d+)"', page)
        assert shown
        assert int(shown[1]) == pytest.approx(WHOLE_S, abs=30)
        assert "agentops/stay" in page
        assert ("would be lost" in page) is lost
