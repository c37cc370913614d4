"""An agent played from launch to final answer over HTTP, with tools that answer from sample data.

The conversation is built by the real transcript and every call is checked by the real tool's
schema; only what tools and people do is laid down here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executions.agents import Agent, get_agent
from executions.core.transcript import (
    AssistantMessage,
    CallRecord,
    Reply,
    RequestedCall,
    StepRecord,
    build,
)
from executions.llm.factory import make_llm
from executions.llm.port import LLM, Request, ToolSpec
from tests.rehearsal_server import RehearsalServer
from tools.base import ToolError
from tools.registry import ALWAYS_GATED, get_tool

SAMPLES = Path(__file__).resolve().parents[2] / "tools" / "sample_data"
MOST_STEPS = 20
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Rejected:
    reason: str
    by: str = "omar"


@dataclass(frozen=True)
class Asked:
    question: str
    by: str = "omar"


@dataclass(frozen=True)
class Edited:
    """A person changes these of the arguments."""

    changes: dict[str, Any]


Decision = Rejected | Asked | Edited | None
"""None approves."""


@dataclass(frozen=True)
class Told:
    """How it went: every call with what became of it, the final answer, what it said by step."""

    calls: tuple[CallRecord, ...]
    answer: dict[str, Any]
    said: dict[int, str]

    @property
    def order(self) -> list[list[str]]:
        """The names of the tools called, step by step."""
        steps: dict[int, list[str]] = defaultdict(list)
        for call in self.calls:
            steps[call.step_number].append(call.tool_name)
        return list(steps.values())

    def of(self, name: str) -> list[CallRecord]:
        return [call for call in self.calls if call.tool_name == name]


@dataclass
class Story:
    """Plays `agent` against `server`. `decisions` are people's, per tool in order (approved when
    there is none); `errors` are what tools say no with, per tool in order, before they work."""

    server: RehearsalServer
    api: str
    agent: str
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    tools: dict[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)

    def play(self, **given: Any) -> Told:
        """Return the whole story of an execution with this input."""
        return asyncio.run(self._play(get_agent(self.agent), given))

    async def _play(self, agent: Agent, given: dict[str, Any]) -> Told:
        llm = make_llm(api=self.api, base_url=self.server.base_url, api_key="any", capacity=8)
        try:
            return await self._steps(llm, agent, json.dumps(agent.checked(given)))
        finally:
            await llm.close()

    async def _steps(self, llm: LLM, agent: Agent, opening: str) -> Told:
        steps: list[StepRecord] = []
        calls: list[CallRecord] = []
        for number in range(1, MOST_STEPS):
            items = build(opening, steps, calls, warn_at=3)
            reply = await llm.ask(_request(agent, items), timeout_s=TIMEOUT_S)
            if not reply.calls:
                said = {one.number: one.message.text or "" for one in steps}
                return Told(tuple(calls), json.loads(reply.text or "null"), said)
            message = _stored(reply, number)
            steps.append(StepRecord(number=number, message=message))
            calls += [self._called(call, number) for call in message.calls]
        raise AssertionError(f"no end after {MOST_STEPS} steps: {[c.tool_name for c in calls]}")

    def _called(self, call: RequestedCall, number: int) -> CallRecord:
        proposed = json.loads(call.arguments)
        record: dict[str, Any] = {
            "wire_id": call.id,
            "step_number": number,
            "tool_name": call.name,
            "proposed": proposed,
            "arguments": proposed,
        }
        decision = self._decision(call.name)
        if isinstance(decision, Rejected):
            words = {"by": decision.by, "reason": decision.reason}
            return CallRecord(**record, status="rejected", output=words)
        if isinstance(decision, Asked):
            words = {"by": decision.by, "question": decision.question}
            return CallRecord(**record, status="rejected", output=words)
        if isinstance(decision, Edited):
            record["arguments"] = {**proposed, **decision.changes}
        try:
            output = self._run(call.name, record["arguments"])
        except ToolError as error:
            return CallRecord(**record, status="failed", error=str(error))
        return CallRecord(**record, status="succeeded", output=output)

    def _decision(self, name: str) -> Decision:
        waiting = self.decisions.get(name, [])
        return waiting.pop(0) if name in ALWAYS_GATED and waiting else None

    def _run(self, name: str, arguments: dict[str, Any]) -> Any:
        get_tool(name).parse(arguments)
        if self.errors.get(name):
            raise ToolError(self.errors[name].pop(0))
        return {**SAMPLE_TOOLS, **self.tools}[name](arguments)


def _request(agent: Agent, items: Any) -> Request:
    tools = [get_tool(name) for name in agent.tools]
    return Request(
        llm="gpt-5-mini",
        instructions=agent.instructions,
        items=items,
        tools=tuple(
            ToolSpec(name=one.name, description=one.description, schema=one.schema())
            for one in tools
        ),
        output_schema=agent.output_model.model_json_schema() if agent.output_model else None,
    )


def _stored(reply: Reply, number: int) -> AssistantMessage:
    """Return the reply with call ids of our own, as the journal stores it."""
    calls = tuple(
        RequestedCall(id=f"call-{number}-{place}", name=call.name, arguments=call.arguments)
        for place, call in enumerate(reply.calls)
    )
    return AssistantMessage(text=reply.text, calls=calls, reasoning=reply.reasoning)


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((SAMPLES / f"{name}.json").read_text())
    return rows


def _customer(arguments: dict[str, Any]) -> dict[str, Any]:
    wanted = arguments["customer_id"]
    for row in _rows("customers"):
        if row["customer_id"] == wanted:
            return {"customer": {"politically_exposed": False, **row, "version": 1}}
    raise ToolError(f"There is no customer {wanted}; find_customers finds them by name.")


def _search(arguments: dict[str, Any]) -> dict[str, Any]:
    words = arguments["query"].lower().split()
    fields = ("customer_id", "name", "email", "country")
    found = [
        {name: row[name] for name in fields}
        for row in _rows("customers")
        if all(
            word in f"{row['name']} {row['email']} {row['customer_id']}".lower() for word in words
        )
    ]
    return {"customers": found[: arguments.get("limit") or 5]}


def _regulation(arguments: dict[str, Any]) -> dict[str, Any]:
    rows = {row["code"]: row for row in _rows("regulations")}
    if arguments["code"] not in rows:
        known = ", ".join(rows)
        raise ToolError(f"There is no regulation {arguments['code']}; there are {known}.")
    return {"regulation": rows[arguments["code"]]}


def document_id(title: str) -> str:
    return f"DOC-{hashlib.sha256(title.encode()).hexdigest()[:12]}"


def _documents(arguments: dict[str, Any]) -> dict[str, Any]:
    _customer(arguments)
    rows = [row for row in _rows("documents") if row["customer_id"] == arguments["customer_id"]]
    kept = ("title", "kind", "date")
    return {
        "documents": [
            {"document_id": document_id(row["title"]), **{name: row[name] for name in kept}}
            for row in rows
        ]
    }


def _document(arguments: dict[str, Any]) -> dict[str, Any]:
    [row] = [r for r in _rows("documents") if document_id(r["title"]) == arguments["document_id"]]
    text = (SAMPLES / "documents" / row["file"]).read_text()
    return {"document": {"document_id": arguments["document_id"], **row, "text": text}}


def _message(arguments: dict[str, Any]) -> dict[str, Any]:
    [row] = [r for r in _rows("messages") if r["message_id"] == arguments["message_id"]]
    return {"message": {**row, "from": row["sender"]}}


def _make_document(arguments: dict[str, Any]) -> dict[str, Any]:
    made = document_id(json.dumps(arguments, sort_keys=True))
    sha256 = hashlib.sha256(made.encode()).hexdigest()
    return {"document_id": made, "sha256": sha256, "pages": 3, "title": arguments["title"]}


def _update(arguments: dict[str, Any]) -> dict[str, Any]:
    record = _customer(arguments)["customer"]
    changes = {name: value for name, value in arguments["changes"].items() if value is not None}
    rows = [{"field": n, "old": record.get(n), "new": value} for n, value in changes.items()]
    return {"customer_id": record["customer_id"], "version": 2, "changes": rows}


SAMPLE_TOOLS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "find_customers": _search,
    "read_customer_record": _customer,
    "lookup_regulation": _regulation,
    "list_customer_documents": _documents,
    "read_document": _document,
    "read_customer_message": _message,
    "generate_compliance_document": _make_document,
    "submit_to_regulator": lambda arguments: {"filing_id": "F-1", "receipt": "NFSA/2026/1"},
    "send_email": lambda arguments: {"accepted": arguments["to"], "refused": []},
    "update_customer_record": _update,
}
