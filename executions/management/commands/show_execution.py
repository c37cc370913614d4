"""One execution's whole story in the shell."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from executions.management.endings import EXIT_STATUSES, PlainCommand
from executions.management.finding import find_execution
from executions.management.following import follow
from executions.management.story import Story
from executions.management.telling import Teller
from executions.management.terminal import as_json


class Command(PlainCommand):
    help = "Show what an execution was asked, decided and did, in order."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(*args, epilog=f"With --follow, {EXIT_STATUSES}", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="its id, or the first 8 or more digits of it")
        parser.add_argument("--follow", action="store_true", help="tell it on until it has ended")
        parser.add_argument("--json", action="store_true", help="print JSON, nothing clipped")

    def handle(self, *args: Any, **options: Any) -> None:
        execution_id = find_execution(options["id"])
        if options["follow"]:
            teller = Teller(self.stdout, self.stderr, json=options["json"])
            return teller.follow(execution_id, follow(execution_id))
        story = Story(execution_id)
        if options["json"]:
            self.stdout.write(as_json(story.facts(), indent=2))
        else:
            self.stdout.write("\n".join(story.lines()))
        return None
