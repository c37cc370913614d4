"""Small stories: what the LLM says in one execution, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.acts import Act
from tests.faults.crashing import Fault, Mode
from tests.faults.world import Report
from tests.support.rehearsed_agent import LETTER, READ, calls, text
from tests.tools.reports import report_arguments
from tools.models import Customer

Call = tuple[str, dict[str, Any]]
Script = Callable[[Report, int], list[dict[str, Any]]]

RULES: Call = ("lookup_regulation", {"code": "AML-6"})
SUCCEEDED, FAILED, REJECTED = "succeeded", "failed", "rejected"
EXPIRED, CANCELLED, COMPLETED = "expired", "cancelled", "completed"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One story.

    `verdicts`: what people say of each gated call, in the order in which they were asked for:
    approve, reject, expire or cancel. `doubts`: what they say of a doubt: truth or drop.
    `outcomes`: the statuses each tool's calls end with when nothing goes wrong.
    `visits`: what somebody does at that very moment. `faults`: what goes wrong anyway.
    `llm_faults`: faults of the LLM's server, for requests of this execution.
    """

    name: str
    script: Script
    outcomes: dict[str, list[str]]
    verdicts: tuple[str, ...] = ()
    doubts: str = "truth"
    ends: str = COMPLETED
    by_sql: bool = False
    visits: dict[tuple[str, int], Act] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    llm_faults: tuple[dict[str, Any], ...] = ()


def letter(serial: int, number: int = 1) -> Call:
    return "send_email", {**LETTER[1], "subject": f"Letter {serial}.{number}"}


def update(serial: int) -> Call:
    """A change of a record that changes it each time."""
    version = Customer.objects.values_list("version", flat=True).get(pk="C-1002")
    changes = {"phone": f"+31 10 555 {serial:06d}"}
    arguments = {"customer_id": "C-1002", "changes": changes, "reason": "M-1", "version": version}
    return "update_customer_record", arguments


def document(serial: int) -> Call:
    return "generate_compliance_document", report_arguments(title=f"Report {serial}")


def filing(report: Report, serial: int) -> Call:
    return "submit_to_regulator", {
        "regulator_id": "REG-NFSA",
        "document_id": report.document_id,
        "document_sha256": report.sha256,
        "subject": f"Filing {serial}",
    }


SCENARIOS = [
    Scenario(
        name="a read, then a letter that is approved",
        script=lambda _, n: [calls(READ), calls(letter(n)), text()],
        verdicts=("approve",),
        outcomes={READ[0]: [SUCCEEDED], "send_email": [SUCCEEDED]},
    ),
    Scenario(
        name="a filing that needs two people",
        script=lambda report, n: [calls(filing(report, n)), text()],
        verdicts=("approve",),
        outcomes={"submit_to_regulator": [SUCCEEDED]},
    ),
    Scenario(
        name="a change of a record",
        script=lambda _, n: [calls(READ), calls(update(n)), text()],
        verdicts=("approve",),
        outcomes={READ[0]: [SUCCEEDED], "update_customer_record": [SUCCEEDED]},
    ),
    Scenario(
        name="a document, then a letter about it",
        script=lambda _, n: [calls(document(n)), calls(letter(n)), text()],
        verdicts=("approve", "approve"),
        outcomes={"generate_compliance_document": [SUCCEEDED], "send_email": [SUCCEEDED]},
    ),
    Scenario(
        name="a letter that is rejected, then a better one",
        script=lambda _, n: [calls(letter(n)), calls(letter(n, 2)), text()],
        verdicts=("reject", "approve"),
        outcomes={"send_email": [REJECTED, SUCCEEDED]},
    ),
    Scenario(
        name="two reads beside two letters, decided one by one",
        script=lambda _, n: [calls(READ, RULES, letter(n), letter(n, 2)), text()],
        verdicts=("approve", "reject"),
        outcomes={
            READ[0]: [SUCCEEDED],
            RULES[0]: [SUCCEEDED],
            "send_email": [SUCCEEDED, REJECTED],
        },
    ),
    Scenario(
        name="a letter in doubt that happened",
        script=lambda _, n: [calls(letter(n)), text()],
        verdicts=("approve",),
        outcomes={"send_email": [SUCCEEDED]},
        faults=(Fault("send_email.after", 1, Mode.UNSURE),),
    ),
    Scenario(
        name="a letter in doubt that did not happen and runs",
        script=lambda _, n: [calls(letter(n)), text()],
        verdicts=("approve",),
        outcomes={"send_email": [SUCCEEDED]},
        faults=(Fault("send_email.before", 1, Mode.DIE),),
    ),
    Scenario(
        name="a letter in doubt that is dropped",
        script=lambda _, n: [calls(letter(n)), text()],
        verdicts=("approve",),
        doubts="drop",
        outcomes={"send_email": [CANCELLED]},
        faults=(Fault("send_email.after", 1, Mode.UNSURE),),
    ),
    Scenario(
        name="a cancel while it waits for people",
        script=lambda _, n: [calls(READ), calls(letter(n)), text()],
        verdicts=("cancel",),
        ends=CANCELLED,
        outcomes={READ[0]: [SUCCEEDED], "send_email": [CANCELLED]},
    ),
    Scenario(
        name="a cancel at the very moment the LLM answers",
        script=lambda _, n: [calls(READ), calls(RULES), text()],
        ends=CANCELLED,
        outcomes={READ[0]: [SUCCEEDED], RULES[0]: [CANCELLED]},
        visits={("llm.after", 2): Act("cancel")},
    ),
    Scenario(
        name="a letter that nobody decides on in time",
        script=lambda _, n: [calls(letter(n)), text()],
        verdicts=("expire",),
        outcomes={"send_email": [EXPIRED]},
    ),
    Scenario(
        name="a launch by plain SQL",
        script=lambda _, n: [calls(READ), text()],
        by_sql=True,
        outcomes={READ[0]: [SUCCEEDED]},
    ),
    Scenario(
        name="an LLM that asks for patience",
        script=lambda _, n: [calls(READ), text()],
        outcomes={READ[0]: [SUCCEEDED]},
        llm_faults=({"fault": "429", "retry_after": 30},),
    ),
]
