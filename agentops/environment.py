"""Reads the environment, and `.env`, strictly: nonsense is an error that says what was expected."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"
"""What this machine makes for itself: embedded database, logs, collected static files."""

_env = environ.Env()
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

known_names: set[str] = set()
"""Every variable the settings asked for; a system check names the ones nobody asked for."""


def load_env_file() -> None:
    """Add the lines of `.env` to the environment; what is already set wins.

    AGENTOPS_ENV_FILE names another file, and set to nothing it means none.
    """
    name = os.environ.get("AGENTOPS_ENV_FILE", ".env")
    path = BASE_DIR / name
    if name and path.exists():
        _env.read_env(path)


def refuse(name: str, expected: str) -> ImproperlyConfigured:
    """The error for a variable that makes no sense. It shows the value: not for secrets."""
    return ImproperlyConfigured(f"{name} is {os.environ.get(name)!r}; expected {expected}.")


def text(name: str, *, default: str = "") -> str:
    """The variable without blanks around it; set to nothing it counts as not set."""
    known_names.add(name)
    return os.environ.get(name, "").strip() or default


def words(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    """A list separated by commas."""
    return [
        word.strip() for word in text(name, default=",".join(default)).split(",") if word.strip()
    ]


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, default="1" if default else "0").lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise refuse(name, "true or false")


def whole_number(name: str, *, default: int, low: int, high: int) -> int:
    try:
        number = int(text(name, default=str(default)))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise refuse(name, f"a whole number between {low} and {high}")
    return number


def percents(name: str, *, default: str) -> tuple[int, ...]:
    """Whole percents between 1 and 99, separated by commas; `none` for no such thing."""
    given = text(name, default=default)
    found = [] if given == "none" else [word.strip() for word in given.split(",")]
    if not all(word.isdecimal() and 0 < int(word) < 100 for word in found):
        raise refuse(name, "percents between 1 and 99, such as 50,75, or none")
    return tuple(sorted({int(word) for word in found}))


def hours(name: str) -> tuple[int, int] | None:
    """The hours from and until of a span such as 20-7; None when the variable is not set."""
    value = text(name)
    if not value:
        return None
    first, _, last = value.partition("-")
    if not (first.isdecimal() and last.isdecimal() and max(int(first), int(last)) < 24):
        raise refuse(name, "two hours of the day, such as 20-7")
    return int(first), int(last)


def choice(name: str, *, default: str, options: tuple[str, ...]) -> str:
    value = text(name, default=default)
    if value not in options:
        raise refuse(name, f"one of: {', '.join(options)}")
    return value


def web_address(name: str) -> str | None:
    """An http(s) address without its trailing slash, or None when the variable is not set."""
    value = text(name)
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise refuse(name, "an address such as http://127.0.0.1:8080/v1")
    return value.rstrip("/")


def database(name: str) -> dict[str, Any]:
    """Django's dict for a URL such as `postgres://user:password@host:5432/name`."""
    known_names.add(name)
    expected = "an address such as postgres://user:password@host:5432/name"
    scheme = text(name).partition("://")[0]
    if scheme not in ("postgres", "postgresql"):
        # The value may hold a password, so only its first word is shown.
        raise ImproperlyConfigured(f"{name} begins with {scheme!r}; expected {expected}.")
    try:
        return dict(_env.db_url(name))
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} cannot be read; expected {expected}.") from error


def mail(name: str, *, default: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for a URL such as `smtp+tls://user:password@host:587`."""
    known_names.add(name)
    try:
        found = dict(_env.email_url(name, default=default))
    except (KeyError, ValueError, ImproperlyConfigured) as error:
        expected = "an address such as smtp+tls://user:password@host:587, or consolemail://"
        raise ImproperlyConfigured(f"{name} cannot be read; expected {expected}.") from error
    if found.get("EMAIL_FILE_PATH"):  # django-environ drops the slash that makes it absolute
        found["EMAIL_FILE_PATH"] = "/" + found["EMAIL_FILE_PATH"].lstrip("/")
    return {key: value for key, value in found.items() if value not in (None, "")}


def default_database(*, production: bool) -> dict[str, Any]:
    """The database the site uses: DATABASE_URL, else the embedded server at AGENTOPS_PG_SOCKET.

    AGENTOPS_PG_DATABASE names another database on that server: the tests' child processes use it.
    """
    found: dict[str, Any]
    socket, name = text("AGENTOPS_PG_SOCKET"), text("AGENTOPS_PG_DATABASE")
    if text("DATABASE_URL"):
        found = database("DATABASE_URL")
    elif production:
        raise ImproperlyConfigured("DATABASE_URL is not set. Production needs its own PostgreSQL.")
    elif socket:
        found = {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": socket,
            "USER": "agentops",
            "NAME": "agentops",
        }
    else:
        raise ImproperlyConfigured(
            "No database: set DATABASE_URL, or start by manage.py or `make run`, which bring one."
        )
    if name:
        found["NAME"] = name
    # A pool (OPTIONS["pool"]) does not survive the clusters' fork; kept connections do as well.
    return {**found, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def time_zone(name: str, *, default: str) -> str:
    value = text(name, default=default)
    if value not in available_timezones():
        raise refuse(name, "a time zone such as Europe/Vienna")
    return value


def required(name: str, *, why: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why}")
    return value
