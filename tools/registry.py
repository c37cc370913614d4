"""Every tool there is, by name, and the floor under the mission's four gated ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tools.base import Effect, Tool, ToolDefinitionError, UnknownTool
from tools.find_customers import find_customers
from tools.generate_compliance_document import generate_compliance_document
from tools.list_customer_documents import list_customer_documents
from tools.lookup_regulation import lookup_regulation
from tools.read_customer_message import read_customer_message
from tools.read_customer_record import read_customer_record
from tools.read_document import read_document
from tools.read_filing import read_filing
from tools.send_email import send_email
from tools.submit_to_regulator import submit_to_regulator
from tools.update_customer_record import update_customer_record

# The least votes these need, always. An approval policy may ask for more, never for less.
ALWAYS_GATED: dict[str, int] = {
    "send_email": 1,
    "update_customer_record": 1,
    "generate_compliance_document": 1,
    "submit_to_regulator": 2,
}


def collect(tools: Iterable[Tool]) -> dict[str, Tool]:
    """Return the tools by name; ToolDefinitionError for a name used twice or a weakened gate."""
    found: dict[str, Tool] = {}
    for one in tools:
        if one.name in found:
            raise ToolDefinitionError(f"two tools are named {one.name}")
        _refuse_weakened(one)
        found[one.name] = one
    if missing := ALWAYS_GATED.keys() - found.keys():
        raise ToolDefinitionError(f"not registered: {', '.join(sorted(missing))}")
    return found


def _refuse_weakened(one: Tool) -> None:
    least = ALWAYS_GATED.get(one.name)
    if least is None:
        return
    if one.approval.mode != "always" or one.approval.votes < least:
        raise ToolDefinitionError(f"{one.name} always needs approval, by at least {least}")
    if one.effect is Effect.READ:
        raise ToolDefinitionError(f"{one.name} changes something; it cannot be a read")


TOOLS: dict[str, Tool] = collect(
    [
        find_customers,
        read_customer_record,
        lookup_regulation,
        list_customer_documents,
        read_document,
        read_customer_message,
        read_filing,
        send_email,
        update_customer_record,
        generate_compliance_document,
        submit_to_regulator,
    ]
)


def get_tool(name: str) -> Tool:
    """Return the tool of that name, or raise UnknownTool with the nearest names."""
    if name in TOOLS:
        return TOOLS[name]
    near = difflib.get_close_matches(name, TOOLS, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(TOOLS)}."
    raise UnknownTool(f"There is no tool {name[:80]!r}; {hint}")
