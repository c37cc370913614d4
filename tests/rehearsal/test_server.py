"""The server as a process: its switches, its log, its faults, its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from agentops.rehearsal.faults import FaultError, FaultList
from tests.rehearsal_server import ROOT, RehearsalServer, start
from tests.support.waiting import wait_until


def post(server: RehearsalServer, text: str = "hello", **fields: Any) -> dict[str, Any]:
    """Ask over Chat Completions without any library."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": "Bearer any"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def said(answer: dict[str, Any]) -> Any:
    return answer["choices"][0]["message"]["content"]


def test_it_answers_plainly_under_the_name_it_was_asked_by(server: RehearsalServer) -> None:
    answer = post(server, model="our-own-llm")
    assert answer["model"] == "our-own-llm"
    assert "rehearsal" in said(answer)
    assert answer["id"] != post(server)["id"]


def test_it_lists_models(server: RehearsalServer) -> None:
    with urllib.request.urlopen(f"{server.base_url}/models", timeout=20) as answer:
        assert json.load(answer)["object"] == "list"


def test_it_plays_replies_laid_down_in_the_input_by_where_the_conversation_stands(
    server: RehearsalServer,
) -> None:
    call = {"name": "find", "arguments": {"query": "Ana"}, "id": "call_mine"}
    opening = json.dumps({"rehearse": [{"text": "Wait.", "calls": [call]}, {"text": "Over."}]})
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"The input is {opening}"}]
    first = post(server, messages=messages)["choices"][0]["message"]
    assert post(server, messages=messages)["choices"][0]["message"] == first
    assert first["tool_calls"][0]["id"] == "call_mine"
    messages += [first, {"role": "tool", "tool_call_id": "call_mine", "content": "{}"}]
    assert said(post(server, messages=messages)) == "Over."
    messages += [{"role": "assistant", "content": "Over."}, {"role": "user", "content": "And?"}]
    assert said(post(server, messages=messages)) == "Done."


def test_it_logs_every_request_whole(server: RehearsalServer) -> None:
    post(server, "line one\nand “two” \u2028 \x85 \ud800", temperature=0)
    entry = server.log("line one")[-1]
    assert entry["api"] == "chat"
    assert entry["fault"] is None
    assert entry["at"] > 1_700_000_000
    assert entry["body"]["messages"][0]["content"].startswith("line one\nand “two”")


def test_a_fault_fires_for_its_text_from_the_nth_on_as_often_as_told() -> None:
    faults = FaultList()
    faults.add([{"fault": "500", "match": {"contains": "x", "nth": 2}, "times": 2}])
    hits = [bool(faults.take(body, "chat")) for body in (b"x", b"y", b"ax", b"y", b"xb", b"x")]
    assert hits == [False, False, True, False, True, False]
    [fault] = faults.as_json()
    assert (fault["seen"], fault["fired"]) == (4, 2)


def test_faults_fire_one_at_a_time_and_only_for_their_api() -> None:
    faults = FaultList()
    faults.add(
        [{"fault": "500", "match": {"api": "responses"}}, {"fault": "503"}, {"fault": "429"}]
    )
    names = [fault.fault if (fault := faults.take(b"{}", "chat")) else None for _ in range(3)]
    assert names == ["503", "429", None]
    faults.clear()
    assert faults.as_json() == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        ["500"],
        [{"fault": "earthquake"}],
        [{"fault": "999"}],
        [{"fault": "500", "mach": {}}],
        [{"fault": "500", "match": {"like": "x"}}],
        [{"fault": "500", "times": 0}],
        [{"fault": "huge", "size": 10**12}],
        [{"fault": "many_calls", "count": 10**9}],
        [{"fault": "500"}] * 1001,
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(given: Any) -> None:
    with pytest.raises(FaultError):
        FaultList().add(given)


def test_a_refused_fault_says_why_over_http(server: RehearsalServer) -> None:
    with pytest.raises(AssertionError, match="unknown fault 'earthquake'"):
        server.add_faults([{"fault": "earthquake"}])


def test_a_script_lays_down_replies_and_faults_from_the_start() -> None:
    script = {"replies": [{"text": "As written."}], "faults": [{"fault": "delay", "delay_s": 0}]}
    with start(script=script) as scripted:
        assert said(post(scripted)) == "As written."
        assert scripted.fired() == [1]


def test_it_ends_at_once_when_told_to_even_in_the_middle_of_an_answer() -> None:
    with start(latency=60) as slow:
        asking = subprocess.Popen(
            [sys.executable, "-c", _ASK, slow.base_url], stderr=subprocess.DEVNULL
        )
        wait_until(slow.log, what="the request to arrive")
        slow.process.send_signal(signal.SIGTERM)
        assert slow.process.wait(10) == 0
        assert asking.wait(10) != 0


_ASK = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/chat/completions", data=b'{"model": "m"}', timeout=60)
"""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "PORT"], "address already in use"),
        (["--port", "0", "--script", "SCRIPT"], "must be an object"),
        (["--port", "0", "--script", "missing.json"], "No such file"),
    ],
)
def test_it_says_why_it_cannot_start(
    server: RehearsalServer, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "script.json").write_text("[]")
    port = server.base_url.rpartition(":")[2].removesuffix("/v1")
    real = {"PORT": port, "SCRIPT": str(tmp_path / "script.json")}
    ended = subprocess.run(
        [sys.executable, "-m", "agentops.rehearsal", *(real.get(a, a) for a in arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
