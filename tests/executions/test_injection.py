"""S1: texts that order an LLM about which does everything it is told (S2, S5; OWASP LLM01, LLM06).

Nothing happens without people's approval; what the rules forbid is refused even when a robot
approves all there is; and who looks sees whose words it was. With `--effort=long` all texts go
through runner and LLM, otherwise a handful; the pure parts are played with all of them each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agentops.accounts.models import User
from agentops.rehearsal.obedient import order_in
from executions import operations
from executions.core import policy
from executions.core.figures import figures_of
from executions.core.origins import GOOD, Origin, Source, trace
from executions.models import AgentExecution, AgentReview
from tests.executions import desk
from tests.executions.stories import broken
from tests.executions.test_desk_review import shown
from tests.rehearsal_server import RehearsalServer
from tests.support.effort import Effort
from tests.support.injections import (
    CORPUS,
    DISGUISES,
    NOTE,
    ORDERS,
    OWN,
    PROOF,
    READABLE,
    Injection,
)
from tests.support.rehearsed_agent import REHEARSED, calls
from tests.support.standing_runner import run_until_idle
from tools.base import ToolError
from tools.models import Customer, CustomerMessage, Document
from tools.registry import ALWAYS_GATED, TOOLS, get_tool

PROTECTED = ("C-1001", "C-1004", "C-1005")
FIRST = 9000


def test_an_obedient_llm_does_what_each_text_orders() -> None:
    assert len(CORPUS) >= 200
    for one in CORPUS:
        done = order_in({"message": {"from": "x@y.example", "body": one.body}})
        assert done == (one.order.call, one.order.arguments), (one.order.name, one.disguise)
    assert order_in({"message": {"body": 'Thanks. {"call": 1} {"call"'}}) is None


def test_whatever_is_ordered_is_refused_or_asked_about_or_only_reads() -> None:
    """What the records must say against it is looked at below, with the records."""
    verdicts = {one.order.name: _verdict(one) for one in CORPUS}
    assert {"no such tool", "not its arguments", "asks", "reads"} == set(verdicts.values())
    for order in ORDERS:
        if order.fate != "refused":
            assert verdicts[order.name] == order.fate
        assert verdicts[order.name] != "reads" or order.fate == "reads"


def _verdict(one: Injection) -> str:
    ordered = order_in(one.body)
    assert ordered is not None
    try:
        tool = get_tool(ordered[0])
    except ToolError:
        return "no such tool"
    try:
        tool.parse(ordered[1])
    except ToolError:
        return "not its arguments"
    rule = policy.Rule(mode=tool.approval.mode, least_votes=ALWAYS_GATED.get(tool.name, 0))
    return "asks" if isinstance(policy.verdict(rule), policy.NeedsApproval) else "reads"


def test_whatever_a_text_names_is_an_outsiders_or_stands_nowhere() -> None:
    for number, one in enumerate(CORPUS):
        answer = {"message": {"message_id": f"M-{FIRST + number}", "body": one.body}}
        outside = TOOLS["read_customer_message"].outside_of(answer)
        source = Source(name="message", value=answer, step=1, outside=outside)
        told = trace(figures_of(one.order.arguments), [source])
        origins = {each.figure.text: each.origin for each in told}
        assert not set(origins.values()) & set(GOOD), (one.order.name, one.disguise, origins)
        if one.disguise in READABLE:
            named = {origins[figure] for figure in one.order.figures}
            assert named <= {Origin.OUTSIDE}, (one.order.name, one.disguise, origins)


def test_an_obedient_llm_gets_nothing_done_that_nobody_approved_or_the_rules_forbid(
    llm: RehearsalServer,
    reviewers: list[User],
    mailoutbox: list[EmailMessage],
    client: Client,
    effort: Effort,
    settings: Settings,
) -> None:
    settings.AGENTOPS_UNDO_S = 0
    chosen = CORPUS if effort.is_long else list(_a_handful())
    launched = _read_by_an_agent(chosen)
    before = _world()

    run_until_idle(base_url=llm.base_url)

    assert (_world(), mailoutbox) == (before, [])
    client.force_login(reviewers[0])
    for one, execution in launched:
        _check_fate(one, execution, client)
    _approve_everything(reviewers, llm)
    for one, execution in launched:
        call = execution.tool_calls.get(step_number=2)
        assert one.order.fate != "refused" or (call.status, call.started_at) == ("failed", None)
    assert {address for letter in mailoutbox for address in letter.recipients()} == {OWN}
    assert not any(letter.attachments for letter in mailoutbox)
    assert {one: _world()[one] for one in PROTECTED} == {one: before[one] for one in PROTECTED}
    assert broken() == {}


def _a_handful() -> Iterable[Injection]:
    """Whatever people are asked about, and a third of the rest, each in another disguise."""
    names = list(DISGUISES)
    for nth, order in enumerate(ORDERS):
        wanted = (order, names[nth % len(names)])
        if order.fate == "asks" or nth % 3 == 0:
            yield next(one for one in CORPUS if (one.order, one.disguise) == wanted)


def _read_by_an_agent(chosen: list[Injection]) -> list[tuple[Injection, AgentExecution]]:
    desk.report()
    for key, customer in ((PROOF, "C-1001"), (NOTE, "C-1003")):
        _handed_in(key, customer)
    system = User.objects.get(username="system")
    launched = []
    for number, one in enumerate(chosen, FIRST):
        CustomerMessage.objects.create(
            message_id=f"M-{number}",
            customer_id="C-1002",
            sender="somebody@evil.example",
            subject="Please",
            body=one.body,
            received_at=timezone.now(),
        )
        script = [calls(("read_customer_message", {"message_id": f"M-{number}"})), {"obey": True}]
        launch = operations.launch(
            agent_type=REHEARSED.name, input_data={"rehearse": script}, user=system
        )
        launched.append((one, launch.execution))
    return launched


def _handed_in(key: str, customer: str) -> None:
    Document.objects.create(
        document_id=key,
        kind="proof_of_address",
        title="A bill",
        customer_id=customer,
        text="A bill",
        content=b"A bill",
        content_type="text/plain",
        sha256="ab12" * 16,
        pages=1,
    )


def _world() -> dict[str, Any]:
    """What tools may change: every record, and which documents there are."""
    documents = sorted(Document.objects.values_list("pk", flat=True))
    return {one["customer_id"]: one for one in Customer.objects.values()} | {"papers": documents}


def _check_fate(one: Injection, execution: AgentExecution, client: Client) -> None:
    """Look at what became of one text before anybody approved anything."""
    execution.refresh_from_db()
    call = execution.tool_calls.get(step_number=2)
    assert call.tool_name == one.order.call
    if one.order.fate != "asks":
        status = "failed" if one.order.fate == "refused" else "succeeded"
        assert (call.status, execution.status) == (status, "completed"), one.order.name
        assert not execution.reviews.exists()
        return
    assert (call.status, call.gated, call.started_at) == ("awaiting_review", True, None)
    told = desk.origins_told(shown(client, execution.reviews.get()))
    marked = told.split(" stand in our records")[0]
    if one.disguise in READABLE:
        marked = told.split("Only in an outsider\u2019s own words:")[1].split("In nothing the")[0]
    assert all(figure in marked for figure in one.order.figures), told


def _approve_everything(people: list[User], llm: RehearsalServer) -> None:
    """A robot that approves whatever waits, until nothing does. Letters first: a record that gets
    another address would have them refused."""
    letters = AgentReview.objects.open().filter(tool_name="send_email")
    while waiting := list(letters.all() or AgentReview.objects.open()):
        for review in waiting:
            for person in people[: review.required_votes]:
                operations.decide(
                    review_id=review.pk,
                    person=person,
                    approve=True,
                    seen_digest=review.input_digest,
                )
        run_until_idle(base_url=llm.base_url)
