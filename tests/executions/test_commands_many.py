"""`launch_agent` with a line of input per execution: the good ones run, the others are named."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from executions import operations
from executions.management.progress import Progress
from executions.models import AgentExecution
from executions.operations import Launched
from tests import factories
from tests.executions.shell import Ran, run

pytestmark = pytest.mark.django_db

STEWARD = "customer_record_steward"
GOOD = [f'{{"message_id": "M-200{number}"}}' for number in range(1, 4)]


@pytest.fixture(autouse=True)
def _an_llm_key(settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-not-a-real-one"


def launch(lines: list[str], *arguments: str) -> Ran:
    text = "\n".join(lines).encode() + b"\n"
    return run("launch_agent", STEWARD, "--input", "-", *arguments, stdin=text)


def test_each_line_launches_one() -> None:
    ran = launch(GOOD)
    assert ran.status == 0
    assert ran.err == "Launched 3, refused 0.\n"
    stored = {str(id) for id in AgentExecution.objects.values_list("pk", flat=True)}
    assert set(ran.out.split()) == stored
    assert len(stored) == 3


def test_one_line_is_many_when_told_so() -> None:
    assert launch(GOOD[:1], "--lines").err == "Launched 1, refused 0.\n"


def test_a_file_of_lines_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("\n\n".join(GOOD))
    ran = run("launch_agent", STEWARD, "--input", f"@{file}")
    assert ran.err == "Launched 3, refused 0.\n"


def test_what_is_refused_is_named_with_its_line_and_the_rest_goes_on() -> None:
    bad = ['{"message_id": "2001"}', "{", '{"message_id": "M-2001\\u0000"}', '{"other": 1}']
    ran = launch([GOOD[0], bad[0], "", bad[1], GOOD[1], bad[2], bad[3], GOOD[2]])
    assert ran.status == 2
    assert AgentExecution.objects.count() == 3
    assert "Launched 3, refused 4." in ran.err
    assert "line 2: Input for customer_record_steward: message_id: String should match" in ran.err
    assert "line 4: the input is not JSON" in ran.err
    assert "line 4, column 2" in ran.err
    assert "line 6: message_id: character 7 is U+0000" in ran.err
    assert "line 7: Input for customer_record_steward: message_id: Field required" in ran.err
    assert ran.err.endswith("Nothing was stored for the refused lines.\n")


def test_a_line_too_long_is_refused_and_the_next_is_read() -> None:
    ran = launch([GOOD[0], '{"message_id": "' + "M" * 600_000 + '"}', GOOD[1]])
    assert "Launched 2, refused 1." in ran.err
    assert "line 2: the input has more than 256,000 bytes" in ran.err


def test_json_tells_each_line_what_became_of_it() -> None:
    told = [json.loads(line) for line in launch([GOOD[0], "[]"], "--json").out.splitlines()]
    assert told[0] == {
        "line": 1,
        "launched": str(AgentExecution.objects.get().pk),
        "is_new": True,
    }
    assert told[1]["line"] == 2
    assert "valid dictionary" in told[1]["refused"]


def test_the_same_lines_again_under_the_same_key_launch_nothing_twice() -> None:
    launch(GOOD[:2], "--idempotency-key", "monday")
    ran = launch(GOOD, "--idempotency-key", "monday")
    assert ran.err.startswith("Launched 1, refused 0.\n2 had been launched before")
    assert AgentExecution.objects.count() == 3


def test_who_may_not_launch_is_told_once() -> None:
    factories.person("sam")
    ran = launch(GOOD, "--user", "sam")
    assert ran.status == 2
    assert ran.err.count("sam may not launch") == 1
    assert not AgentExecution.objects.exists()


def test_no_lines_and_following_many_are_refused() -> None:
    assert "has no lines" in launch([], "--lines").err
    ran = launch(GOOD, "--follow")
    assert ran.status == 2
    assert "--follow follows one execution, not many lines. Nothing was stored." in ran.err
    assert not AgentExecution.objects.exists()


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """After one launch the next one raises what the test puts in."""
    raised: list[BaseException] = []
    whole = operations.launch

    def launch_one(**columns: Any) -> Launched:
        if AgentExecution.objects.exists():
            raise raised[0]
        return whole(**columns)

    monkeypatch.setattr(operations, "launch", launch_one)
    return iter([raised])  # type: ignore[return-value]


def test_when_the_database_goes_away_it_says_from_which_line_to_go_on(
    interrupted: Iterator[list[BaseException]],
) -> None:
    next(interrupted).append(OperationalError("terminating connection\nmore"))
    ran = launch(GOOD)
    assert ran.status == 5
    assert "Launched 1, refused 0." in ran.err
    assert "went away at line 2: terminating connection. The lines before it are" in ran.err


def test_ctrl_c_says_how_far_it_came(interrupted: Iterator[list[BaseException]]) -> None:
    next(interrupted).append(KeyboardInterrupt())
    ran = launch(GOOD)
    assert ran.status == 4
    assert ran.err == "Launched 1, refused 0.\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_on_a_terminal_and_goes_when_it_is_done() -> None:
    terminal = Terminal()
    progress = Progress(terminal, size=1000)
    progress.show(done=500, refused=2, position=500)
    progress.clear()
    assert "[############            ]  50%  500 lines, 2 refused" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_elsewhere() -> None:
    stream = io.StringIO()
    Progress(stream, size=None).show(done=1, refused=0, position=None)
    assert stream.getvalue() == ""
