"""What people see while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from executions.engine.connections import parameters
from tests import factories

AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


@pytest.fixture
def somebody(committed_db: None, client: Client) -> Client:
    client.force_login(factories.reviewer("rita"))
    client.raise_request_exception = False
    return client


@pytest.fixture
def away(somebody: Client, tmp_path: Path) -> Iterator[Client]:
    """A logged-in person's client while nobody listens at the database's address."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", str(tmp_path))
        yield somebody
        connection.close()


def test_a_page_says_that_the_database_is_away_and_that_nothing_changed(away: Client) -> None:
    """D1: a clear page, no traceback."""
    response = away.get(reverse("reviews"))

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    said = response.content.decode()
    assert "The database does not answer" in said
    assert "Nothing was changed." in said
    assert "Traceback" not in said


def test_whoever_sent_something_is_told_to_send_it_again(away: Client) -> None:
    """D1: no form is said to be saved, or not saved, when nobody can know."""
    response = away.post(reverse("login"), {"username": "rita", "password": "whatever"})

    assert response.status_code == 503
    assert "send it again" in response.content.decode()


def test_the_same_login_goes_on_when_the_database_is_back(somebody: Client, tmp_path: Path) -> None:
    """D1: nobody logs in anew."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", str(tmp_path))
        assert somebody.get(reverse("reviews")).status_code == 503
        connection.close()

    assert somebody.get(reverse("reviews")).status_code == 200


def test_a_connection_lost_before_the_first_statement_is_told_the_same_way(
    somebody: Client,
) -> None:
    """D3: the page after it has a new one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**parameters()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert somebody.get(reverse("reviews")).status_code == 503
    connection.close()
    assert somebody.get(reverse("reviews")).status_code == 200


class Cuts:
    """Middleware; ends the request's own connection at the server."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with psycopg.connect(**parameters()) as other:
            other.execute(
                "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
            )
        return self.get_response(request)


@pytest.mark.parametrize("how", ["get", "post"])
@pytest.mark.parametrize("behind", ["agentops.waits.limited_waits", AUTHENTICATION])
def test_a_connection_lost_before_anybody_asked_who_is_there_is_told_the_same_way(
    somebody: Client, settings: Settings, behind: str, how: str
) -> None:
    """D2: the page that says so must not ask the database for the person."""
    at = settings.MIDDLEWARE.index(behind) + 1
    cuts = f"{__name__}.{Cuts.__qualname__}"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:at], cuts, *settings.MIDDLEWARE[at:]]

    response = getattr(somebody, how)(reverse("you"))

    assert response.status_code == 503
    assert "The database d" in response.content.decode()
    connection.close()
