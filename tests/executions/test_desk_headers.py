"""What holds for every address: a login, a policy, and looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, reverse

from agentops.csp import ADMIN, STRICT
from executions import urls
from executions.models import AgentReview
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

BANNER = "No real LLM is at work"
OUR_SCRIPT = re.compile(
    r'<script src="/static/(agentops/[\w.]+\.js|unfold/js/htmx/htmx\.js)" defer>'
)
OPEN_TO_ALL = {"login", "logout", None}


def addresses(review: AgentReview | None = None) -> Iterator[tuple[str | None, str]]:
    """Every address of ours by its name, filled in with ids that exist when a review is given."""
    known = {
        "review_id": review.pk if review else uuid4(),
        "execution_id": review.execution_id if review else uuid4(),
        "call_id": review.call_id if review else uuid4(),
        "document_id": "DOC-0123456789ab",
        "tool_name": "send_email",
    }
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name is None:
            continue
        needed = pattern.pattern.converters
        yield pattern.name, reverse(pattern.name, kwargs={one: known[one] for one in needed})


def test_nobody_gets_anywhere_without_a_login(client: Client) -> None:
    for name, address in addresses():
        if name in OPEN_TO_ALL:
            continue
        for response in (client.get(address), client.post(address)):
            if response.status_code == 401:  # the login page itself, which keeps what was typed
                assert "You are not logged in any more" in response.content.decode()
                continue
            assert response.status_code == 302, address
            assert response.headers["Location"].startswith(reverse("login")), address


def test_our_pages_run_under_the_strict_policy(client: Client) -> None:
    review = desk.proposed()
    client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
    for name, address in addresses(review):
        if name not in ("document", "logout"):
            assert client.get(address).headers["Content-Security-Policy"] == STRICT, address
    assert client.get("/nowhere/").headers["Content-Security-Policy"] == STRICT


def test_only_the_admin_may_evaluate(client: Client) -> None:
    client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
    assert client.get(reverse("admin:index")).headers["Content-Security-Policy"] == ADMIN
    assert "unsafe" not in STRICT


def test_nothing_inline_stands_in_our_templates(client: Client) -> None:
    desk.load_sample_data()
    review = desk.proposed()
    client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
    for name, address in addresses(review):
        if name == "logout":
            continue
        page = client.get(address).content.decode(errors="replace")
        assert " style=" not in page, address
        assert "<style" not in page, address
        assert " onclick=" not in page, address
        scripts = re.findall(r"<script[^>]*>[^<]*", page)
        assert all(OUR_SCRIPT.fullmatch(one) for one in scripts), address


@pytest.mark.parametrize("rehearsal", [True, False])
def test_a_banner_on_every_page_says_when_the_llm_is_played(
    client: Client, rehearsal: bool
) -> None:
    review = desk.proposed()
    with override_settings(AGENTOPS_REHEARSAL=rehearsal):
        assert (BANNER in client.get(reverse("login")).content.decode()) == rehearsal
        client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
        places = [reverse("reviews"), desk.url(review), reverse("metrics"), reverse("admin:index")]
        places.append(reverse("admin:executions_agentexecution_changelist"))
        for address in places:
            assert (BANNER in client.get(address).content.decode()) == rehearsal, address


def test_there_is_one_page_to_log_in(client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response.headers["Location"] == "/login/?next=/admin/"


def test_a_wrong_password_is_told_without_saying_what_was_wrong(client: Client) -> None:
    page = client.post(reverse("login"), {"username": "nobody", "password": "x"}).content.decode()
    assert "do not go together" in page


def test_a_login_leads_on_within_the_site_only(client: Client) -> None:
    rita = factories.reviewer("rita")
    rita.set_password("right")
    rita.save()
    given = {"username": "rita", "password": "right", "next": "https://elsewhere.example/"}
    response = client.post(reverse("login"), given)
    assert response.headers["Location"] == reverse("home")


@pytest.mark.parametrize(
    ("may", "place"),
    [
        (["approve_send_email"], "reviews"),
        (["view_agentexecution"], "executions"),
        ([], "reviews"),
    ],
)
def test_one_starts_where_ones_work_is(client: Client, may: list[str], place: str) -> None:
    client.force_login(factories.person("somebody", may=may, is_staff=True))
    assert client.get("/").headers["Location"] == reverse(place)


def test_a_page_that_breaks_says_what_to_do(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    client.force_login(factories.reviewer("rita"))
    client.raise_request_exception = False
    monkeypatch.setattr("executions.desk.listing.queue_of", broken)
    response = client.get(reverse("reviews"))
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_a_page_that_is_not_there_says_so_in_the_frame(client: Client) -> None:
    client.force_login(factories.reviewer("rita"))
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Nothing was changed." in response.content.decode()
