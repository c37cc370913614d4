from __future__ import annotations

from dataclasses import replace

import pytest

from tools.base import Effect, ToolDefinitionError, UnknownTool, always, never, when
from tools.registry import ALWAYS_GATED, TOOLS, collect, get_tool


def test_the_missions_four_tools_are_always_gated() -> None:
    assert ALWAYS_GATED == {
        "send_email": 1,
        "update_customer_record": 1,
        "generate_compliance_document": 1,
        "submit_to_regulator": 2,
    }
    for name, votes in ALWAYS_GATED.items():
        assert TOOLS[name].approval.mode == "always"
        assert TOOLS[name].approval.votes >= votes


@pytest.mark.parametrize("name", ALWAYS_GATED)
def test_nobody_can_register_one_of_them_with_a_weaker_gate(name: str) -> None:
    others = [one for one in TOOLS.values() if one.name != name]
    weaker = [never(), when(lambda arguments: None, votes=5)]
    if ALWAYS_GATED[name] > 1:
        weaker.append(always(votes=ALWAYS_GATED[name] - 1))
    for approval in weaker:
        with pytest.raises(ToolDefinitionError, match=f"{name} always needs approval"):
            collect([*others, replace(TOOLS[name], approval=approval)])


@pytest.mark.parametrize("name", ALWAYS_GATED)
def test_nobody_can_pass_one_of_them_off_as_a_read(name: str) -> None:
    others = [one for one in TOOLS.values() if one.name != name]
    with pytest.raises(ToolDefinitionError, match="cannot be a read"):
        collect([*others, replace(TOOLS[name], effect=Effect.READ)])


def test_a_policy_may_ask_for_more_votes() -> None:
    others = [one for one in TOOLS.values() if one.name != "send_email"]
    found = collect([*others, replace(TOOLS["send_email"], approval=always(votes=3))])
    assert found["send_email"].approval.votes == 3


def test_a_name_cannot_be_used_twice() -> None:
    with pytest.raises(ToolDefinitionError, match="two tools are named send_email"):
        collect([*TOOLS.values(), TOOLS["send_email"]])


def test_none_of_the_four_can_be_left_out() -> None:
    with pytest.raises(ToolDefinitionError, match="not registered: send_email"):
        collect(one for one in TOOLS.values() if one.name != "send_email")


def test_the_four_have_the_effects_that_their_means_allow() -> None:
    assert {name: TOOLS[name].effect.value for name in ALWAYS_GATED} == {
        "send_email": "once",
        "update_customer_record": "transactional",
        "generate_compliance_document": "transactional",
        "submit_to_regulator": "idempotent",
    }


def test_everything_gated_tells_a_reviewer_what_it_does() -> None:
    for name in ALWAYS_GATED:
        one = TOOLS[name]
        shown = (one.headline, one.preview, one.check, one.consequence, one.verb)
        assert all((*shown, one.approval.reason)), name
        assert one.template == f"desk/preview/{name}.html"


def test_only_reads_run_without_a_person() -> None:
    ours = [one for one in TOOLS.values() if one.function.__module__.startswith("tools.")]
    free = {one.name for one in ours if one.approval.mode == "never"}
    assert free == {one.name for one in ours if one.effect is Effect.READ}


def test_a_tool_is_found_by_its_name() -> None:
    assert get_tool("send_email") is TOOLS["send_email"]


@pytest.mark.parametrize("name", ["send_mail", "Send_Email", "sendemail"])
def test_an_unknown_tool_is_refused_with_the_nearest_names(name: str) -> None:
    with pytest.raises(UnknownTool, match="did you mean send_email"):
        get_tool(name)


def test_an_unknown_tool_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(UnknownTool) as caught:
        get_tool("q" * 5000)
    assert "there are find_customers, " in str(caught.value)
    assert len(str(caught.value)) < 500
