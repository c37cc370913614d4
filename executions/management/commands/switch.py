"""Pause, kill and lift from the shell, or say what is switched off."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions import operations
from executions.management.endings import PlainCommand, Refused
from executions.management.people import find_user
from executions.management.telling import Teller
from executions.management.terminal import printable
from executions.models import AgentControl
from executions.models.control import SCOPES


class Command(PlainCommand):
    help = (
        "Pause or kill everything, one agent or one tool, and lift that again. What is held back"
        " waits and is not lost; a kill also breaks off LLM requests under way. Without arguments:"
        " say what is switched off."
    )
    changed_nothing = "Nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("scope", nargs="?", choices=SCOPES, help="what to switch")
        add("name", nargs="?", default="", help="the agent's or the tool's name")
        verb = parser.add_mutually_exclusive_group()
        for name in ("pause", "kill", "lift"):
            verb.add_argument(f"--{name}", dest="verb", action="store_const", const=name)
        add("--user", metavar="NAME", help="who switches (default: the service user)")
        add("--reason", default="", help="why; everybody who meets the switch reads it")
        add("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        teller = Teller(self.stdout, self.stderr, json=options["json"])
        if options["scope"] is None:
            return _tell_all(teller)
        if options["verb"] is None:
            raise Refused("Say --pause, --kill or --lift. Nothing was changed.")
        switch = getattr(operations, options["verb"])(
            scope=options["scope"],
            key=options["name"],
            person=find_user(options["user"]),
            reason=options["reason"],
        )
        return teller.say(_sentence(switch), _facts(switch))


def _tell_all(teller: Teller) -> None:
    off = list(AgentControl.objects.off())
    for switch in off:
        teller.say(_sentence(switch), _facts(switch))
    if not off:
        teller.warn("Nothing is switched off.")


def _sentence(switch: AgentControl) -> str:
    told = f"{switch.place} is on again." if switch.state == "on" else str(switch)
    return printable(told[0].upper() + told[1:])


def _facts(switch: AgentControl) -> dict[str, Any]:
    return {
        "scope": switch.scope,
        "name": switch.key,
        "state": switch.state,
        "reason": switch.reason,
        "by": switch.by,
        "at": switch.changed_at,
    }
