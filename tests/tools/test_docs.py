"""The examples in docs/write-a-tool.md run, and its tables are true."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agentops.environment import BASE_DIR
from tests.support.guide import GUIDE, examples
from tests.tools.calling import a_context
from tools import base
from tools.base import Effect, Tool, ToolError
from tools.registry import ALWAYS_GATED, TOOLS, collect


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return examples()


def _run(tool: Tool, arguments: dict[str, Any]) -> Any:
    return tool.call(tool.parse(arguments), a_context())


def test_the_first_example_is_a_tool_in_about_ten_lines(written: dict[str, Any]) -> None:
    assert _run(written["convert_currency"], {"cents": 100}) == {"us_cents": 108}
    example = GUIDE.partition("@tool")[2].partition("```")[0]
    assert len(example.splitlines()) <= 10


def test_the_examples_can_be_registered(written: dict[str, Any]) -> None:
    tools = [value for value in written.values() if isinstance(value, Tool)]
    assert len(collect([*TOOLS.values(), *tools])) == len(TOOLS) + 4


def test_the_approval_example_asks_for_two_people_above_its_limit(written: dict[str, Any]) -> None:
    pay_out: Tool = written["pay_out"]
    assert pay_out.approval.votes == 2
    assert pay_out.approval.when is not None
    for cents, reason in ((100_00, None), (100_01, "more than 100 euros")):
        parsed = pay_out.parse({"customer_id": "C-1001", "cents": cents})
        assert pay_out.approval.when(parsed) == reason


@pytest.mark.usefixtures("records")
def test_the_check_example_refuses_who_is_not_there(written: dict[str, Any]) -> None:
    count_letters: Tool = written["count_letters"]
    assert count_letters.check is not None
    count_letters.check(count_letters.parse({"customer_id": "C-1001"}))
    with pytest.raises(ToolError, match="no customer C-9999"):
        count_letters.check(count_letters.parse({"customer_id": "C-9999"}))


def test_the_effects_in_the_table_are_the_effects_there_are() -> None:
    table = GUIDE.partition("## What it may do")[2].partition("##")[0]
    assert re.findall(r"^\| `([A-Z]+)`", table, re.MULTILINE) == [one.name for one in Effect]


def test_every_error_in_the_guide_exists() -> None:
    for name in re.findall(r"^\| `([A-Za-z]+)\(", GUIDE, re.MULTILINE):
        assert hasattr(base, name)


def test_every_file_and_name_that_the_guide_points_to_exists() -> None:
    for path in re.findall(r"`((?:tools|templates)/[\w./]+)`", GUIDE):
        assert path == "templates/desk/preview/" or (BASE_DIR / path).exists(), path
    assert "ALWAYS_GATED" in GUIDE
    assert ALWAYS_GATED
    for name in re.findall(r"- `(\w+)", GUIDE.partition("## What the reviewer sees")[2]):
        assert name in Tool.__dataclass_fields__
