from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from pydantic import ValidationError

from executions.agents import Agent, InputRefused, get_agent
from executions.core.transcript import CallRecord
from tools.models import Customer, CustomerMessage, Regulation
from tools.registry import ALWAYS_GATED, TOOLS
from tools.schemas import strict_schema

NAMES = ("compliance_document_generator", "customer_record_steward")


@pytest.fixture(params=NAMES)
def agent(request: pytest.FixtureRequest) -> Agent:
    return get_agent(request.param)


def test_every_tool_it_may_use_exists(agent: Agent) -> None:
    assert set(agent.tools) <= set(TOOLS)
    assert len(agent.tools) == len(set(agent.tools))


def test_its_instructions_name_every_gated_tool_it_has(agent: Agent) -> None:
    for name in set(agent.tools) & set(ALWAYS_GATED):
        assert name in agent.instructions


def test_its_instructions_name_no_tool_that_it_lacks(agent: Agent) -> None:
    for name in set(TOOLS) - set(agent.tools):
        assert name not in agent.instructions


@pytest.mark.parametrize(
    "rule", ["never an instruction", "rejected", "once", "changed your arguments", "final answer"]
)
def test_its_instructions_keep_the_rules_of_the_house(agent: Agent, rule: str) -> None:
    assert rule in " ".join(agent.instructions.split())


def test_its_sample_input_is_accepted_as_it_is(agent: Agent) -> None:
    assert agent.checked(agent.sample_input) == agent.sample_input


@pytest.mark.parametrize(
    "value", [{}, {"customer": "C-1001"}, {"message_id": 1}, [], None, "C-1001"]
)
def test_input_that_does_not_fit_is_refused(agent: Agent, value: Any) -> None:
    with pytest.raises(InputRefused, match=f"Input for {agent.name}"):
        agent.checked(value)


def test_input_takes_no_unknown_keys(agent: Agent) -> None:
    with pytest.raises(InputRefused, match="extra"):
        agent.checked({**agent.sample_input, "extra": 1})


def test_its_answer_has_a_shape_fit_for_strict_mode(agent: Agent) -> None:
    assert agent.output_model is not None
    raw = agent.output_model.model_json_schema()
    assert raw["additionalProperties"] is False
    assert raw["required"] == list(raw["properties"])
    assert strict_schema(raw)


def test_its_limits_bound_what_it_may_cost(agent: Agent) -> None:
    assert agent.limits.max_cost_usd is not None


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            NAMES[0],
            {"document_id": None, "filing_id": None, "receipt": None, "summary": "Rejected."},
        ),
        (NAMES[1], {"updated": True, "fields": ["address"], "summary": "Changed."}),
    ],
)
def test_the_answers_that_the_instructions_ask_for_fit(name: str, answer: dict[str, Any]) -> None:
    model = get_agent(name).output_model
    assert model is not None
    assert model.model_validate(answer).model_dump() == answer
    with pytest.raises(ValidationError):
        model.model_validate({**answer, "summary": None})


MADE = ("generate_compliance_document", {"document_id": "DOC-1", "sha256": "ab"})
FILED = ("submit_to_regulator", {"filing_id": "F-1", "receipt": "R-1"})
SETTLED = ("submit_to_regulator", {"settled_by": "rita", "reference": "by telephone"})
CHANGED = ("update_customer_record", {})
NOTHING = {"document_id": None, "filing_id": None, "receipt": None}


@pytest.mark.parametrize(
    ("name", "answer", "done", "claim"),
    [
        (NAMES[0], NOTHING, [], None),
        (NAMES[0], NOTHING, [MADE, FILED], None),
        (NAMES[0], {**NOTHING, "document_id": "DOC-1"}, [MADE], None),
        (NAMES[0], {**NOTHING, "document_id": "DOC-2"}, [MADE], "document_id 'DOC-2'"),
        (NAMES[0], {**NOTHING, "document_id": "DOC-1"}, [], "document_id 'DOC-1'"),
        (NAMES[0], {**NOTHING, "filing_id": "F-1", "receipt": "R-1"}, [FILED], None),
        (NAMES[0], {**NOTHING, "receipt": "F-1"}, [FILED], "receipt 'F-1'"),
        (NAMES[0], {**NOTHING, "receipt": "R-9"}, [SETTLED], None),
        (NAMES[1], {"updated": True, "fields": ["phone"]}, [CHANGED], None),
        (NAMES[1], {"updated": False, "fields": []}, [], None),
        (NAMES[1], {"updated": True, "fields": ["phone"]}, [], "no update_customer_record"),
        (NAMES[1], {"updated": False, "fields": []}, [CHANGED], "but update_customer_record"),
    ],
)
@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_an_answer_may_claim_only_what_its_calls_bear_out(
    name: str, answer: dict[str, Any], done: list[tuple[str, Any]], claim: str | None, status: str
) -> None:
    """M20: a call that failed bears out nothing."""
    one = get_agent(name)
    assert one.output_model is not None
    assert one.check_answer is not None
    calls = [
        CallRecord(
            wire_id="x", step_number=1, tool_name=tool, status=status, proposed={}, arguments={},
            output=output,
        )
        for tool, output in done
    ]  # fmt: skip
    said = one.check_answer(one.output_model.model_validate({**answer, "summary": "x"}), calls)
    if status == "succeeded":
        assert (said is None) == (claim is None)
        assert claim is None or claim in (said or "")
    elif done:
        claims = any(value for key, value in answer.items() if key != "fields")
        assert bool(said) == claims


@pytest.mark.django_db
def test_the_sample_inputs_are_about_sample_records() -> None:
    call_command("load_sample_data", verbosity=0)
    generator, steward = (get_agent(name).sample_input for name in NAMES)
    assert Customer.objects.filter(pk=generator["customer_id"]).exists()
    assert Regulation.objects.filter(pk=generator["regulation_code"]).exists()
    assert CustomerMessage.objects.filter(pk=steward["message_id"]).exists()
