"""Make a restored database safe to work on, before any runner does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions import operations
from executions.management.endings import PlainCommand
from executions.management.people import find_user
from executions.management.terminal import counted


class Command(PlainCommand):
    help = (
        "After a restore, or a failover that lost commits: ask people anew about approved calls"
        " that may have happened since. Run it before the agents clusters start. Exit status: 0"
        " done, 2 refused because runners stand, 5 no database."
    )
    changed_nothing = "Nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="who does it (default: service user)")

    def handle(self, *args: Any, **options: Any) -> None:
        done = operations.distrust(person=find_user(options["user"]))
        self.stdout.write(
            f"Asked anew about {counted(done['asked_anew'], 'call')};"
            f" {counted(done['failed'], 'call')} that needed nobody failed."
        )
