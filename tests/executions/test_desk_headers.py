"""What holds for every address: a login, a policy, and looking changes nothing."""

from __future__ import annotations

import re

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from agentops.accounts.models import User
from agentops.csp import ADMIN, STRICT
from executions.pages.documents import POLICY
from tests import factories
from tests.executions import desk
from tests.support.addresses import DOCUMENT, Address, every_address, known_by, ours

pytestmark = pytest.mark.django_db

BANNER = "No real LLM is at work"
OUR_SCRIPT = re.compile(
    r'<script src="/static/(agentops/[\w.]+\.js|unfold/js/htmx/htmx\.js)" defer>'
)


@pytest.fixture
def known(client: Client) -> dict[str, object]:
    """What the addresses are about; a superuser, who gets everywhere, is logged in."""
    client.force_login(factories.person("admin", is_superuser=True, is_staff=True))
    desk.load_sample_data()
    desk.report()
    return known_by(desk.proposed())


def test_every_answer_has_its_policy_and_is_taken_for_what_it_says(
    client: Client, known: dict[str, object]
) -> None:
    """Strict on our pages; only the admin may evaluate; a document is in a box of its own."""
    own = {"document": POLICY}
    for one in [*every_address(), Address("no such page", "nowhere/")]:
        response = (
            client.post(one.url(known)) if one.name == "logout" else client.get(one.url(known))
        )
        expected = own.get(one.name, ADMIN if one.is_admin else STRICT)
        if one.route == "admin/login/":  # ours, and before the admin's
            expected = STRICT
        assert response.headers["Content-Security-Policy"] == expected, one
        assert response.headers["X-Content-Type-Options"] == "nosniff", one
        assert response.headers["X-Frame-Options"] == "DENY", one
        assert response.headers["Referrer-Policy"] == "same-origin", one
        if one.name == "logout":
            client.force_login(User.objects.get(username="admin"))
    assert "unsafe" not in STRICT


def test_a_download_is_saved_and_not_shown(client: Client, known: dict[str, object]) -> None:
    output = client.get(reverse("call-output", args=[known["call_id"]]))
    assert output.headers["Content-Type"] == "application/json"
    assert re.fullmatch(
        r'attachment; filename="send_email-[0-9a-f]{8}\.json"',
        output.headers["Content-Disposition"],
    )
    document = client.get(reverse("document", args=[DOCUMENT]) + "?download")
    assert document.headers["Content-Type"] == "application/octet-stream"
    assert document.headers["Content-Disposition"].startswith("attachment; ")


def test_nothing_inline_stands_in_our_templates(client: Client, known: dict[str, object]) -> None:
    for one in ours():
        page = client.get(one.url(known)).content.decode(errors="replace")
        assert " style=" not in page, one
        assert "<style" not in page, one
        assert " onclick=" not in page, one
        scripts = re.findall(r"<script[^>]*>[^<]*", page)
        assert all(OUR_SCRIPT.fullmatch(script) for script in scripts), one


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
