"""Which execution a person means by an id or the beginning of one."""

from __future__ import annotations

from uuid import UUID

from executions.models import AgentExecution
from executions.operations.refusals import NotFound

SHORTEST = 8
HEX_DIGITS = 32


def find_execution(given: str) -> UUID:
    """Return the id that begins with `given` (8 hex digits or more, dashes do not matter).

    Raises NotFound when none or several do.
    """
    digits = given.strip().lower().replace("-", "")
    if not SHORTEST <= len(digits) <= HEX_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise NotFound(
            f"{given!r} is no execution's id; expected a UUID or at least its first"
            f" {SHORTEST} hexadecimal digits."
        )
    low, high = UUID(digits.ljust(HEX_DIGITS, "0")), UUID(digits.ljust(HEX_DIGITS, "f"))
    found = AgentExecution.objects.filter(pk__gte=low, pk__lte=high).order_by("pk")
    ids: list[UUID] = list(found.values_list("pk", flat=True)[:4])
    if not ids:
        raise NotFound(f"There is no execution {given}.")
    if len(ids) > 1:
        raise NotFound(f"{given} begins several ids: {', '.join(map(str, ids))}. Give more of it.")
    return ids[0]
