from __future__ import annotations

from typing import Any

from tools import records
from tools.base import Effect, tool


@tool(effect=Effect.READ)
def lookup_regulation(*, code: records.RegulationCode) -> dict[str, Any]:
    """Look up a regulation: its requirements, each with an id, and the regulator that takes
    filings under it."""
    found = records.regulation(code)
    return {
        "regulation": {
            "code": found.code,
            "title": found.title,
            "authority": found.authority,
            "regulator_id": found.regulator_id,
            "requirements": found.requirements,
        }
    }
