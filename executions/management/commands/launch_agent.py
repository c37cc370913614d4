"""Launch an agent from the shell: once, or once per line of input."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.db import connection

from executions import operations
from executions.agents import Agent, InputRefused, get_agent
from executions.core import limits as limit_rules
from executions.core.limits import LimitError
from executions.management import inputs, readiness
from executions.management.endings import (
    EXIT_STATUSES,
    LOST_DATABASE,
    Exit,
    NoDatabase,
    PlainCommand,
    Refused,
    first_line,
    sentences,
)
from executions.management.fields import expected
from executions.management.following import follow
from executions.management.inputs import BadInput, Line
from executions.management.many import Outcome, Summary, launch_lines
from executions.management.people import find_user
from executions.management.progress import Progress
from executions.management.telling import Teller
from executions.management.terminal import as_json, printable
from executions.models import AgentControl
from executions.operations import Launched

NOTHING_STORED = "Nothing was stored."


class Command(PlainCommand):
    help = "Launch an agent on one input, or on each line of a stream of inputs (JSON lines)."
    changed_nothing = NOTHING_STORED

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(*args, epilog=EXIT_STATUSES, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("agent", help="its name; `list_agents` shows all")
        add("--user", metavar="NAME", help="whom it runs for (default: the service user)")
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--input",
            metavar="JSON|@FILE|-",
            help="one JSON object; several lines of them launch one execution each",
        )
        source.add_argument("--sample", action="store_true", help="the agent's own sample input")
        add("--lines", action="store_true", help="take the input as JSON lines, even one line")
        add(
            "--limit",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"put over the agent's own: {', '.join(limit_rules.NAMES)}",
        )
        add(
            "--idempotency-key",
            metavar="KEY",
            help="launches at most once per key; with many lines KEY:LINE is each one's key",
        )
        add("--follow", action="store_true", help="print what happens until it has ended")
        add(
            "--no-wait-review",
            action="store_true",
            help="with --follow: stop when only a person can go on",
        )
        add("--anyway", action="store_true", help="launch although no LLM is configured")
        add("--json", action="store_true", help="print JSON, one object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        agent = get_agent(options["agent"])
        if options["input"] is None and not options["sample"]:
            raise Refused(f"Give --input or --sample. {expected(agent)}")
        limits = _limits(agent, options["limit"])
        connection.ensure_connection()
        user = find_user(options["user"])
        if not options["anyway"] and (why := readiness.missing_llm()):
            raise Refused(sentences(why, NOTHING_STORED))
        self.options, self.agent, self.user, self.limits = options, agent, user, limits
        self.teller = Teller(self.stdout, self.stderr, json=options["json"])
        if options["sample"]:
            return self._one(_sample(agent))
        try:
            with inputs.opened(options["input"]) as source:
                given = inputs.documents(source, lines=options["lines"])
                if isinstance(given, Iterator):
                    return self._many(given, source)
        except BadInput as bad:
            raise Refused(sentences(str(bad), expected(agent), NOTHING_STORED)) from None
        return self._one(given)

    # ------------------------------------------------------------------ one

    def _one(self, value: Any) -> None:
        try:
            launched = self._launch(value, key=self.options["idempotency_key"])
        except InputRefused as refused:
            raise Refused(sentences(str(refused), expected(self.agent), NOTHING_STORED)) from None
        except LOST_DATABASE as lost:
            raise NoDatabase(
                sentences(
                    f"the database went away during the launch: {first_line(lost)}",
                    "If it was stored, it will run; launching again with the same"
                    " --idempotency-key never launches twice",
                )
            ) from None
        execution = launched.execution
        verb = "Launched" if launched.is_new else "This key had launched"
        text = f"{verb} {execution.agent_type} {execution.pk} for {printable(self.user)}."
        facts = {"launched": execution.pk, "is_new": launched.is_new, "agent": self.agent.name}
        self.teller.say(text, facts)
        if not execution.is_final and not readiness.a_runner_stands():
            self.teller.warn(readiness.NO_RUNNER)
        if not execution.is_final and (off := AgentControl.objects.over(execution.agent_type)):
            self.teller.warn(printable(f"It waits until this is lifted: {off}"))
        if self.options["follow"]:
            wait = not self.options["no_wait_review"]
            self.teller.follow(execution.pk, follow(execution.pk, wait_for_people=wait))

    def _launch(self, value: Any, *, key: str | None) -> Launched:
        return operations.launch(
            agent_type=self.agent.name,
            input_data=value,
            user=self.user,
            limits=self.limits,
            idempotency_key=key,
        )

    # ------------------------------------------------------------------ many

    def _many(self, lines: Iterator[Line], source: BinaryIO) -> None:
        if self.options["follow"]:
            raise Refused(f"--follow follows one execution, not many lines. {NOTHING_STORED}")
        summary = Summary()
        progress = Progress(sys.stderr, size=_size(source))
        try:
            for outcome in launch_lines(lines, self._launch_line, summary):
                self._tell(outcome)
                position = source.tell() if source.seekable() else None
                progress.show(done=summary.lines, refused=summary.refused, position=position)
        except KeyboardInterrupt:
            progress.clear()
            self._summarise(summary)
            raise SystemExit(Exit.UNFINISHED) from None
        progress.clear()
        self._summarise(summary)

    def _launch_line(self, value: Any, number: int) -> Launched:
        key = self.options["idempotency_key"]
        return self._launch(value, key=None if key is None else f"{key}:{number}")

    def _tell(self, outcome: Outcome) -> None:
        if outcome.launched is not None:
            launched = outcome.launched
            facts = {"line": outcome.line, "launched": launched.execution.pk}
            self.teller.say(str(launched.execution.pk), {**facts, "is_new": launched.is_new})
        elif self.options["json"]:
            self.stdout.write(as_json({"line": outcome.line, "refused": outcome.refusal}))

    def _summarise(self, summary: Summary) -> None:
        for sentence in summary.sentences():
            self.stderr.write(printable(sentence))
        if summary.stopped_at is not None:
            raise NoDatabase(
                sentences(
                    f"the database went away at line {summary.stopped_at}: {summary.stopped_by}",
                    "The lines before it are stored. Go on from that line, or repeat the whole"
                    " with the same --idempotency-key if one was given",
                )
            )
        if summary.refused:
            raise SystemExit(Exit.REFUSED)
        if not summary.lines:
            raise Refused(f"The input has no lines. {expected(self.agent)}")


def _limits(agent: Agent, given: list[str]) -> dict[str, str]:
    """Return --limit values by name, checked against the agent's own; LimitError otherwise."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = (part.strip() for part in one.partition("="))
        if not equals:
            raise LimitError(f"--limit {one} says no value; expected name=value")
        if name in found:
            raise LimitError(f"limit {name} is given twice")
        found[name] = value
    limit_rules.merged(agent.limits, found)
    return found


def _sample(agent: Agent) -> dict[str, Any]:
    if not agent.sample_input:
        raise Refused(f"{agent.name} has no sample input; use --input. {expected(agent)}")
    return agent.sample_input


def _size(source: BinaryIO) -> int | None:
    """Return the bytes in `source`, None for a pipe."""
    if not source.seekable():
        return None
    here = source.tell()
    size = source.seek(0, 2)
    source.seek(here)
    return size
