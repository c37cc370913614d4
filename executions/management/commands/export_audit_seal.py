"""Print a seal of the audit trail, to be kept where nobody of this site can change it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions.management.endings import PlainCommand, Refused
from executions.management.terminal import as_json
from executions.models import AgentAuditSeal


class Command(PlainCommand):
    help = (
        "Print the last seal of the audit trail as one line of JSON. Keep it outside: with"
        " check_invariants --seal FILE it shows later whether history was rewritten, or lost its"
        " end in a restore. Exit status: 0 printed, 2 nothing is sealed yet, 5 no database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--id", type=int, help="another seal than the last")

    def handle(self, *args: Any, **options: Any) -> None:
        seals = AgentAuditSeal.objects.order_by("-id")
        seal = (seals.filter(pk=options["id"]) if options["id"] else seals).first()
        if seal is None:
            raise Refused("there is no such seal; the housekeeping cluster makes one each hour")
        self.stdout.write(
            as_json(
                {
                    "id": seal.pk,
                    "at": seal.at.isoformat(),
                    "executions": seal.executions,
                    "events": seal.events,
                    "heads_hash": seal.heads_hash,
                }
            )
        )
