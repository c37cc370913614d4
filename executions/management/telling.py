"""Says things as sentences or as JSON, and ends a followed execution with its exit status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import OutputWrapper

from executions.management.endings import OF_STATUS, Exit
from executions.management.following import News
from executions.management.terminal import as_json, readable_json


class Teller:
    """`json`: facts on standard output, one object a line; else sentences."""

    def __init__(self, stdout: OutputWrapper, stderr: OutputWrapper, *, json: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._json = json

    def say(self, text: str, facts: dict[str, Any]) -> None:
        self._stdout.write(as_json(facts) if self._json else text)
        self._stdout.flush()

    def warn(self, text: str) -> None:
        self._stderr.write(text)

    def follow(self, execution_id: UUID, news: Iterator[News]) -> None:
        """Say all `news`; then raise SystemExit with what became of the execution."""
        status = None
        try:
            for one in news:
                status = one.facts.get("status") if one.kind in ("end", "status") else status
                self._tell(one)
        except KeyboardInterrupt:
            self.warn(_goes_on(execution_id, "No longer followed; it goes on by itself."))
            raise SystemExit(Exit.UNFINISHED) from None
        if status not in OF_STATUS:
            self.warn(_goes_on(execution_id, "Only a person can go on with it."))
        raise SystemExit(OF_STATUS.get(str(status), Exit.UNFINISHED))

    def _tell(self, one: News) -> None:
        if one.kind == "note":
            return self.warn(one.text)
        self.say(one.text, {"event": one.kind, **one.facts})
        if one.kind == "end" and not self._json and one.facts["result"] is not None:
            self._stdout.write(readable_json(one.facts["result"], indent=2))
        return None


def _goes_on(execution_id: UUID, why: str) -> str:
    return (
        f"{why} Follow it again: manage.py show_execution {execution_id} --follow."
        f" Stop it: manage.py cancel_execution {execution_id}."
    )
