#!/usr/bin/env python3
"""Django's commands. Without DATABASE_URL the embedded PostgreSQL runs for as long as they do."""

from __future__ import annotations

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from agentops.embedded_postgres import EmbeddedPostgresError
    from agentops.site_database import site_database
except ModuleNotFoundError as error:
    sys.exit(
        f"{error.name} is not installed for {sys.executable}. "
        "Run `make setup` once, then use .venv/bin/python manage.py."
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops.settings")
    try:
        with site_database():
            execute_from_command_line(sys.argv)
    except (EmbeddedPostgresError, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
