"""Cancel an execution from the shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions import operations
from executions.management.endings import PlainCommand
from executions.management.finding import find_execution
from executions.management.people import find_user
from executions.management.telling import Teller
from executions.management.terminal import printable


class Command(PlainCommand):
    help = "Cancel an execution: nothing of it starts any more once this has returned."
    changed_nothing = "Nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("id", help="its id, or the first 8 or more digits of it")
        add("--user", metavar="NAME", help="who cancels (default: the service user)")
        add("--reason", default="", help="why; kept with the execution")
        add("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        execution = operations.cancel(
            execution_id=find_execution(options["id"]),
            person=find_user(options["user"]),
            reason=options["reason"],
        )
        name = f"{printable(execution.agent_type)} {execution.pk}"
        text = f"Cancelled {name}."
        if not execution.is_final:
            text = f"Asked to cancel {name}: nothing more starts, what is under way may finish."
        Teller(self.stdout, self.stderr, json=options["json"]).say(text, execution.facts())
