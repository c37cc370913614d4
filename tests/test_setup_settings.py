"""What the settings accept, and what they refuse and how they say it."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agentops import checks, environment
from agentops.environment import BASE_DIR

PRODUCTION = {
    "AGENTOPS_ENV": "production",
    "DATABASE_URL": "postgres://app:secret@db.example.com:5433/agentops",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "agentops.example.com",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read the settings afresh with these variables; None unsets one."""

    def read(**variables: str | None) -> dict[str, Any]:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return runpy.run_path(str(BASE_DIR / "agentops" / "settings.py"))

    return read


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AGENTOPS_ENV", "staging", "one of: development, production"),
        ("AGENTOPS_LLM_API", "completions", "one of: responses, chat"),
        ("AGENTOPS_LEASE_S", "soon", "a whole number between 2 and 600"),
        ("AGENTOPS_LEASE_S", "1.5", "a whole number"),
        ("AGENTOPS_RUNNER_CAPACITY", "0", "a whole number between 1 and"),
        ("AGENTOPS_AGENT_WORKERS", "-1", "a whole number between 1 and"),
        ("AGENTOPS_TOOL_THREADS", "1e3", "a whole number between 1 and"),
        ("AGENTOPS_REHEARSAL", "perhaps", "true or false"),
        ("DEBUG", "ture", "true or false"),
        ("OPENAI_BASE_URL", "localhost:8080", "an address such as http://"),
        ("OPENAI_BASE_URL", "http://", "an address such as http://"),
        ("AGENTOPS_TIME_ZONE", "Vienna", "a time zone such as Europe/Vienna"),
        ("AGENTOPS_REMIND_AT", "50, 100", "percents between 1 and 99"),
        ("AGENTOPS_REMIND_AT", "half", "percents between 1 and 99"),
        ("AGENTOPS_QUIET_HOURS", "20-24", "two hours of the day, such as 20-7"),
        ("AGENTOPS_QUIET_HOURS", "20:00-07:00", "two hours of the day, such as 20-7"),
        ("AGENTOPS_LOG_LEVEL", "loud", "one of: DEBUG"),
        ("AGENTOPS_STATIC_FILES", "yes", "one of: collected, source"),
        ("EMAIL_URL", "mail.example.com", "an address such as smtp"),
        ("DATABASE_URL", "mysql://app@db/x", "an address such as postgres://"),
        ("DATABASE_URL", "postgres://app@db:port/x", "an address such as postgres://"),
    ],
)
def test_nonsense_is_refused_with_what_was_expected(
    read: Any, name: str, value: str, expected: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} .*expected .*{re.escape(expected)}"):
        read(**{name: value})


def test_reminders_and_quiet_hours_are_read_and_may_be_none(read: Any) -> None:
    found = read(AGENTOPS_REMIND_AT="90,50, 50", AGENTOPS_QUIET_HOURS="20-7")
    assert (found["AGENTOPS_REMIND_AT"], found["AGENTOPS_QUIET_HOURS"]) == ((50, 90), (20, 7))
    found = read(AGENTOPS_REMIND_AT="none", AGENTOPS_QUIET_HOURS=None)
    assert (found["AGENTOPS_REMIND_AT"], found["AGENTOPS_QUIET_HOURS"]) == ((), None)


def test_a_password_in_a_wrong_address_is_not_shown(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(DATABASE_URL="postgres://app:secret@db:port/x")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS"])
def test_production_refuses_to_start_without(read: Any, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is not set"):
        read(**PRODUCTION | {name: None})


def test_production_never_uses_the_embedded_server(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not set"):
        read(**PRODUCTION | {"DATABASE_URL": None, "AGENTOPS_PG_SOCKET": "somewhere"})


def test_production_refuses_debug(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="DEBUG is on"):
        read(**PRODUCTION, DEBUG="true")


def test_production_is_strict_about_transport(read: Any) -> None:
    found = read(**PRODUCTION)
    assert found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_SSL_REDIRECT"]
    assert found["DATABASES"]["default"]["HOST"] == "db.example.com"
    assert found["ALLOWED_HOSTS"] == ["agentops.example.com"]


def test_without_any_database_it_says_how_to_get_one(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"set DATABASE_URL, or start by manage\.py"):
        read(DATABASE_URL=None, AGENTOPS_PG_SOCKET=None)


def test_another_database_can_be_named_on_the_embedded_server(read: Any) -> None:
    found = read(DATABASE_URL=None, AGENTOPS_PG_SOCKET="folder", AGENTOPS_PG_DATABASE="other")
    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["USER"], database["NAME"]) == ("folder", "agentops", "other")


def test_a_variable_set_to_nothing_counts_as_not_set(read: Any) -> None:
    assert read(AGENTOPS_LLM_MODEL="", AGENTOPS_LEASE_S=" ")["AGENTOPS_LEASE_S"] == 15


def test_mail_goes_to_the_server_it_names(read: Any) -> None:
    found = read(EMAIL_URL="smtp+tls://me:secret@mail.example.com:587")
    assert found["EMAIL_HOST"] == "mail.example.com"
    assert found["EMAIL_PORT"] == 587
    assert found["EMAIL_USE_TLS"] is True


def test_mail_lands_in_a_folder_without_one(read: Any) -> None:
    assert read(EMAIL_URL=None)["EMAIL_FILE_PATH"] == str(environment.LOCAL_DIR / "mail")


def test_the_lease_must_outlive_two_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "AGENTOPS_LEASE_S", 10, raising=False)
    monkeypatch.setattr(settings, "AGENTOPS_HEARTBEAT_S", 5, raising=False)
    assert [found.id for found in checks.lease_outlives_heartbeats(None)] == ["agentops.E001"]


def test_a_misspelt_variable_is_named_with_its_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_LEESE_S", "20")
    (found,) = checks.no_unknown_variables(None)
    assert "AGENTOPS_LEESE_S" in found.msg
    assert found.hint == "Did you mean AGENTOPS_LEASE_S?"


def test_the_env_file_fills_in_what_the_environment_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AGENTOPS_LLM_MODEL", "from the environment")
    # Set and unset, so that what the file adds is gone afterwards.
    monkeypatch.setenv("AGENTOPS_ORGANISATION", "")
    monkeypatch.delenv("AGENTOPS_ORGANISATION")
    path = tmp_path / "env"
    path.write_text("AGENTOPS_LLM_MODEL=from-the-file\nAGENTOPS_ORGANISATION=Hallberg\n")
    monkeypatch.setenv("AGENTOPS_ENV_FILE", str(path))
    environment.load_env_file()
    assert environment.text("AGENTOPS_LLM_MODEL") == "from the environment"
    assert environment.text("AGENTOPS_ORGANISATION") == "Hallberg"


def test_env_example_lists_every_variable_and_no_other(read: Any) -> None:
    read()
    listed = set(re.findall(r"^#?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.M))
    assert listed == environment.known_names | checks.READ_ELSEWHERE


def test_the_defaults_in_env_example_are_the_real_ones(read: Any) -> None:
    example = (BASE_DIR / ".env.example").read_text()
    listed = dict(
        re.findall(r"^#(AGENTOPS_\w+_S|AGENTOPS_\w+_(?:CAPACITY|THREADS))=(.+)$", example, re.M)
    )
    found = read()
    assert {name: str(found[name]) for name in listed} == listed
