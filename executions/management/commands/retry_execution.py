"""Retry an execution that has ended from the shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions import operations
from executions.management import wording
from executions.management.endings import PlainCommand, Refused, sentences
from executions.management.finding import find_execution
from executions.management.following import follow
from executions.management.people import find_user
from executions.management.telling import Teller
from executions.management.terminal import counted, printable
from executions.models import AgentToolCall
from executions.operations.refusals import EffectsDone

NOTHING = "Nothing was launched."


class Command(PlainCommand):
    help = (
        "Launch a new execution on the input of one that has ended. What that one did stays done:"
        " when it changed something, the changes are listed, and --again says that you know."
    )
    changed_nothing = NOTHING

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("id", help="its id, or the first 8 or more digits of it")
        add("--user", metavar="NAME", help="who retries (default: the service user)")
        add("--again", action="store_true", help="although what it changed may happen again")
        add("--follow", action="store_true", help="print what happens until it has ended")
        add("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        old, person = find_execution(options["id"]), find_user(options["user"])
        teller = Teller(self.stdout, self.stderr, json=options["json"])
        try:
            launched = operations.retry(execution_id=old, person=person)
        except EffectsDone as done:
            told = [f"  {_told(call)}" for call in done.calls]
            what = f"It changed, or may have changed, {counted(len(told), 'thing')}:"
            teller.warn("\n".join([what, *told]))
            if not options["again"]:
                raise Refused(sentences("Give --again to do it all again", NOTHING)) from None
            shown = [call.pk for call in done.calls]
            launched = operations.retry(execution_id=old, person=person, acknowledged=shown)
        new = launched.execution
        text = f"Launched {printable(new.agent_type)} {new.pk}, a retry of {old}."
        teller.say(text, {"launched": new.pk, "is_new": launched.is_new, "retry_of": old})
        if options["follow"]:
            teller.follow(new.pk, follow(new.pk))


def _told(call: AgentToolCall) -> str:
    return f"{call.status.replace('_', ' ')}: {wording.headline(call)}"
