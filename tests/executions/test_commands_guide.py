"""The examples in docs/write-an-agent.md run, and what it says is so; so does docs/operating.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from agentops.environment import BASE_DIR
from executions import agents
from executions.core.limits import NAMES, Limits
from executions.invariants import INVARIANTS
from executions.management.endings import EXIT_STATUSES
from executions.models import AgentExecution
from tests import rehearsal_server
from tests.executions.shell import run
from tests.rehearsal_server import RehearsalServer
from tests.support.standing_runner import run_until_idle

GUIDE = (BASE_DIR / "docs" / "write-an-agent.md").read_text()
OPERATING = (BASE_DIR / "docs" / "operating.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
CODE = "".join(path.read_text() for path in (BASE_DIR / "executions").rglob("*.py"))
STOP_REASONS = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', CODE))
ANSWER = {"desk": "records", "why": "A new address."}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the first example defines; its agent is registered until the test ends."""
    monkeypatch.setattr(agents, "_agents", dict(agents._agents))
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(EXAMPLES[0], "write-an-agent.md", "exec", dont_inherit=True), names)
    return names


@pytest.fixture
def scripted(llm: RehearsalServer) -> Iterator[RehearsalServer]:
    """An LLM that does what the example's instructions ask for, on the sample data."""
    read = {"calls": [{"name": "read_customer_message", "arguments": {"message_id": "M-2001"}}]}
    with rehearsal_server.start(script={"replies": [read, {"text": ANSWER}]}) as server:
        yield server


def test_the_agent_runs_by_the_commands_of_the_page(
    written: dict[str, Any], scripted: RehearsalServer, settings: Any
) -> None:
    settings.OPENAI_API_KEY = "sk-not-a-real-one"
    assert "manage.py launch_agent message_sorter --sample --follow" in GUIDE
    assert "message_sorter: Messages: find the desk" in run("list_agents").out
    assert run("launch_agent", "message_sorter", "--sample").status == 0
    run_until_idle(base_url=scripted.base_url)
    execution = AgentExecution.objects.get()
    assert (execution.status, execution.result) == ("completed", ANSWER)
    assert written["Output"].model_validate(execution.result)


@pytest.mark.django_db
def test_the_launch_from_code_launches(
    written: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(EXAMPLES[1], "write-an-agent.md", "exec", dont_inherit=True), {})
    execution = AgentExecution.objects.get()
    assert capsys.readouterr().out == f"{execution.pk} True\n"
    assert execution.idempotency_key == "message M-2001"


def test_the_table_of_limits_is_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", GUIDE.partition("## Limits")[2], re.MULTILINE)
    defaults = Limits()
    assert rows == [(name, str(getattr(defaults, name) or "none")) for name in NAMES]


def test_every_part_in_the_table_is_a_field_of_an_agent() -> None:
    table = GUIDE.partition("## What each part is for")[2].partition("##")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert set(rows) == set(agents.Agent.__dataclass_fields__)


def test_every_file_that_the_pages_point_to_exists() -> None:
    for page in (GUIDE, OPERATING):
        for path in re.findall(r"`((?:agentops|executions|tools|docs)/[\w./]+)`", page):
            assert (BASE_DIR / path).exists(), path
        for path in re.findall(r"\]\(([\w.-]+\.md)\)", page):
            assert (BASE_DIR / "docs" / path).exists(), path


def test_every_command_and_option_of_the_operators_page_exists() -> None:
    for name, rest in re.findall(r"manage\.py (\w+)([^\n`]*)", OPERATING):
        command = load_command_class(get_commands()[name], name)
        known = command.create_parser("manage.py", name)._option_string_actions
        for option in re.findall(r"(?<![\w-])(--[\w-]+)", rest):
            assert option in known, f"{name} {option}"


def test_the_operators_page_names_every_variable_it_sizes_and_every_promise() -> None:
    variables = (BASE_DIR / ".env.example").read_text()
    for name in re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`", OPERATING):
        assert name in variables or name in STOP_REASONS or name == "Q_CLUSTER_NAME", name
    promises = re.findall(r"^\| (I\d+) \|", OPERATING, re.MULTILINE)
    assert promises == [one.name for one in INVARIANTS]


def test_the_exit_statuses_of_the_page_are_those_of_the_help() -> None:
    table = OPERATING.partition("exit status")[2].partition("##")[0]
    numbers = re.findall(r"^\| (\d) \|", table, re.MULTILINE)
    assert numbers == re.findall(r"(?:: |, |\n)(\d) ", EXIT_STATUSES)


def test_json_in_the_pages_is_json() -> None:
    for page in (GUIDE, OPERATING):
        for text in re.findall(r"--input '([^']*)'", page):
            json.loads(text)
