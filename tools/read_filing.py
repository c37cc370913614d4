from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from tools import records
from tools.base import Effect, ToolContext, tool
from tools.deadline import Deadline
from tools.filings import verdict_on

FilingId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="as submit_to_regulator gave it")
]


@tool(effect=Effect.READ, outside=("reason",))
def read_filing(
    *, regulator_id: records.RegulatorId, filing_id: FilingId, context: ToolContext
) -> dict[str, Any]:
    """Ask a regulator what became of a filing: received (no verdict yet), accepted, or rejected
    with the regulator's reason."""
    authority = records.regulator(regulator_id)
    verdict = verdict_on(filing_id, authority, Deadline(context.deadline_s))
    return {"filing_id": filing_id, "regulator_id": regulator_id, **verdict}
