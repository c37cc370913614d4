"""manage.py demo_logins [--reset]"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agentops.accounts.demonstration import Login, make_logins


class Command(BaseCommand):
    help = "Makes a login for each role of a demonstration; passwords are shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="new passwords for all of them")

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demonstration logins are not made where AGENTOPS_ENV=production.")
        logins = make_logins(reset=reset)
        for login in logins:
            self.stdout.write(_line(login))
        if any(login.password is None for login in logins):
            self.stdout.write(
                "Passwords were shown when they were made; "
                "`manage.py demo_logins --reset` makes new ones."
            )


def _line(login: Login) -> str:
    return f"{login.role.username:<6} {login.password or '—':<17} may {login.role.may}"
