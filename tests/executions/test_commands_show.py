"""`list_agents`, `show_execution`, `cancel_execution`: what they print and how they refuse."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from executions import operations
from executions.management.terminal import block, clipped, printable, readable_json, seconds
from tests import factories
from tests.executions import desk, stories
from tests.executions.shell import run
from tests.executions.stories import Everything
from tools.registry import ALWAYS_GATED

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> Everything:
    return stories.everything()


# ---------------------------------------------------------------------- list_agents


def test_agents_are_listed_with_gates_limits_and_input() -> None:
    out = run("list_agents").out
    assert "customer_record_steward: Customer record:" in out
    assert "    message_id (string): the message, like M-2001\n" in out
    assert '  sample  {"message_id": "M-2001"}\n' in out
    assert "    submit_to_regulator  [gate: 2 people]\n" in out
    assert "    read_customer_record\n" in out
    assert "  limits  max_steps 15, max_tokens 50000," in out


def test_as_json_every_always_gated_tool_says_how_many_people_it_needs() -> None:
    agents = json.loads(run("list_agents", "--json").out)
    tools = {tool["name"]: tool for agent in agents for tool in agent["tools"]}
    assert {name: tools[name]["votes"] for name in ALWAYS_GATED} == ALWAYS_GATED
    assert {tools[name]["gate"] for name in ALWAYS_GATED} == {"always"}


# ---------------------------------------------------------------------- show_execution


def test_the_story_is_told_in_order(rows: Everything) -> None:
    out = run("show_execution", str(rows.completed.pk)).out
    places = [
        out.index(part)
        for part in (
            f"compliance_document_generator {rows.completed.pk}\n",
            "by olga for olga",
            'input {"customer_id": "C-1001", "regulation_code": "AML-6"}',
            "step 1  gpt-5-mini  1,000 tokens  $0.0015  500 ms  asks for read_customer_record,",
            '  1.1 read_customer_record  {"customer_id": "C-1001"}',
            "  2.1 submit_to_regulator  File DOC-0123456789ab with REG-NFSA",
            '      arguments {"subject"',
            "      review 1 (approval, approved): rita approved, omar approved",
            '      output {"receipt": "RCP-1"}',
            "  3.1 send_email  Send an e-mail to ana@example.org",
            "      review 1 (approval, rejected): rita rejected: not yet",
            "step 4  gpt-5-mini",
            "completed in 4 steps, 4,000 tokens, $0.0060, 2.0 s active",
            '  "summary": "done"',
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("awaiting", "waits for a person: /reviews/"),
        ("doubtful", "in doubt: nobody knows A person must say: /reviews/"),
        ("running", "1.1 read_customer_record"),
        ("pending", "pending after 0 steps"),
        ("cancelled", "CANCELLED: olga cancelled it: changed my mind"),
    ],
)
def test_it_says_where_an_execution_stands(rows: Everything, which: str, said: str) -> None:
    assert said in run("show_execution", str(getattr(rows, which).pk)).out


def test_as_json_nothing_is_left_out(rows: Everything) -> None:
    call = rows.call("read_customer_record", "running")
    factories.change(call, status="succeeded", tool_output="x" * 5000, finished_at=call.started_at)
    told = json.loads(run("show_execution", str(rows.running.pk), "--json").out)
    assert told["user"] == told["launched_by"] == "olga"
    (step,) = told["story"]
    (shown,) = step["calls"]
    assert shown["tool_output"] == "x" * 5000
    story = json.loads(run("show_execution", str(rows.completed.pk), "--json").out)["story"]
    votes = story[1]["calls"][0]["reviews"][0]["votes"]
    assert [(vote["by"], vote["vote"]) for vote in votes] == [
        ("rita", "approve"),
        ("omar", "approve"),
    ]


def test_the_beginning_of_an_id_is_enough_when_only_one_has_it(rows: Everything) -> None:
    id = str(rows.completed.pk)
    assert id in run("show_execution", id[:8].upper()).out
    assert id in run("show_execution", id[:13]).out


def test_an_id_that_several_have_names_them(rows: Everything) -> None:
    for last in "12":
        factories.execution(id=f"abcdef01-0000-4000-8000-00000000000{last}")
    ran = run("show_execution", "abcdef01")
    assert ran.status == 2
    assert "begins several ids: abcdef01-0000-4000-8000-000000000001, abcdef01-" in ran.err


@pytest.mark.parametrize("given", ["abc", "nonsense-id", "0" * 33, "\x1b[31m", ""])
def test_what_is_no_id_is_refused(given: str) -> None:
    ran = run("show_execution", given)
    assert ran.status == 2
    assert "is no execution's id; expected a UUID or at least its first 8" in ran.err
    assert "\x1b" not in ran.err


def test_an_id_that_nobody_has_is_refused() -> None:
    id = str(uuid4())
    assert f"There is no execution {id}." in run("show_execution", id).err


def test_hostile_text_is_shown_without_being_obeyed(rows: Everything) -> None:
    call = rows.call("read_customer_record", "running")
    hostile = "\x1b[2J\x9bpwn\u202e\r\nok"
    factories.change(
        call, status="failed", error=hostile, tool_output={"a": hostile}, finished_at=call.called_at
    )
    out = run("show_execution", str(rows.running.pk)).out
    assert "\\u001b[2J\\u009bpwn\\u202e\\r\\nok" in out
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(out)


# ---------------------------------------------------------------------- cancel_execution


def test_a_waiting_execution_is_cancelled_at_once(rows: Everything) -> None:
    ran = run("cancel_execution", str(rows.awaiting.pk), "--user", "olga", "--reason", "too late")
    assert ran.out == f"Cancelled compliance_document_generator {rows.awaiting.pk}.\n"
    rows.awaiting.refresh_from_db()
    assert rows.awaiting.error == "CANCELLED: olga cancelled it: too late"


def test_a_running_one_is_asked_to_end(rows: Everything) -> None:
    ran = run("cancel_execution", str(rows.running.pk))
    assert ran.out.startswith("Asked to cancel compliance_document_generator")
    assert "nothing more starts" in ran.out
    assert stories.broken() == {}


def test_what_has_ended_is_not_cancelled(rows: Everything) -> None:
    ran = run("cancel_execution", str(rows.completed.pk))
    assert ran.status == 2
    assert ran.err == ("Refused: The execution is completed already. Nothing was changed.\n")


def test_who_may_not_cancel_is_refused(rows: Everything) -> None:
    ran = run("cancel_execution", str(rows.awaiting.pk), "--user", "rita")
    assert ran.status == 2
    assert "rita may not cancel executions; ask for executions.cancel_execution." in ran.err


# ---------------------------------------------------------------------- text on a terminal


def test_text_stays_on_its_line_and_shows_what_does_not_show() -> None:
    assert printable("a\x1b[31m\tb\n\u200b\U000e0041") == "a\\u001b[31m\\tb\\n\\u200b\\U000e0041"
    assert printable("naïve, 漢字 🙂") == "naïve, 漢字 🙂"
    assert block("one\ntwo\r", indent="  ") == "  one\n  two\\r"
    assert readable_json({"é": "\x9b"}) == '{"é": "\\u009b"}'


def test_long_text_says_how_long_it_is() -> None:
    assert clipped("x" * 10, limit=10) == "x" * 10
    assert clipped("x" * 1234, limit=3) == "xxx… (1,234 characters)"


def test_durations_are_for_people() -> None:
    given = [None, 12, 3400, 125_000]
    assert [seconds(one) for one in given] == ["?", "12 ms", "3.4 s", "2 min 5 s"]


def test_a_call_that_was_asked_about_says_so() -> None:
    review = desk.proposed()
    operations.ask(
        review_id=review.pk, person=factories.reviewer("rita"), question="Why her?",
        seen_digest=review.input_digest,
    )  # fmt: skip
    out = run("show_execution", str(review.execution_id)).out
    assert "not executed (rita asked the agent: Why her?)" in out
