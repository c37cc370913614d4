from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tests.tools.mail_server import Mailbox, mail_server


@pytest.fixture
def records(db: None) -> None:
    """The sample data in the database."""
    call_command("load_sample_data", verbosity=0)


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A real mail server, to which the site's mail goes."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Hallberg Compliance <records@hallberg.example>"
        settings.AGENTOPS_MAIL_ALLOWED_DOMAINS = ["hallberg.example"]
        yield server
