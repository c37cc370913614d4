"""The supervisor behind `make run`, with real children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from agentops.dev import ports, services
from agentops.dev.child import LONGEST_PAUSE_S, STARTS_CLEAN, Child, Service
from agentops.dev.supervisor import Supervisor
from agentops.environment import BASE_DIR
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


def service(code: str, *, name: str = "child", stage: int = 1, **more: float) -> Service:
    return Service(name=name, arguments=("-c", code), stage=stage, **more)  # type: ignore[arg-type]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(service(SLEEPS), log=tmp_path / "child.log")
    yield child
    child.kill()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # a zombie's is empty
    except FileNotFoundError:
        return False


def test_a_child_writes_into_its_log(child: Child) -> None:
    child.start()
    wait_until(lambda: "up" in child.last_lines(), what="the child's first line")


def test_a_child_that_keeps_dying_is_started_less_and_less_often(child: Child) -> None:
    pauses = [child.note_death(now=0) for _ in range(9)]
    assert pauses[:4] == [0.5, 1, 2, 4]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert not child.due(now=LONGEST_PAUSE_S - 1)
    assert child.due(now=LONGEST_PAUSE_S)


def test_a_cluster_that_ends_to_start_afresh_is_started_at_once(tmp_path: Path) -> None:
    child = Child(service(f"raise SystemExit({STARTS_CLEAN})"), log=tmp_path / "log")
    child.start()
    wait_until(lambda: child.status() == STARTS_CLEAN, what="its end")
    assert child.note_death(now=0) == 0


def test_whatever_dies_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor([service("raise SystemExit(3)")], logs=tmp_path)
    supervisor.start()
    (child,) = supervisor.children
    wait_until(lambda: child.status() is not None, what="its death")
    supervisor._revive()
    assert "child ended with status 3; next start in 0.5 s" in capsys.readouterr().out
    wait_until(lambda: supervisor._revive() or child.running(), what="its second start")
    supervisor.stop()


def test_the_web_stops_before_what_it_needs(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time;"
        f"stop = lambda *_: (open({str(order)!r}, 'a').write('NAME '), sys.exit());"
        "signal.signal(signal.SIGTERM, stop);"
        "print('up', flush=True); time.sleep(60)"
    )
    stages = {"helper": services.HELPERS, "cluster": services.CLUSTERS, "web": services.WEB}
    wanted = [service(code.replace("NAME", n), name=n, stage=stage) for n, stage in stages.items()]
    supervisor = Supervisor(wanted, logs=tmp_path)
    supervisor.start()
    for child in supervisor.children:
        wait_until(lambda child=child: "up" in child.last_lines(), what="all to be up")
    supervisor.stop()
    assert order.read_text().split() == ["web", "cluster", "helper"]


def test_what_does_not_stop_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor([service(STUBBORN, stop_within_s=0.2)], logs=tmp_path)
    supervisor.start()
    (child,) = supervisor.children
    wait_until(lambda: "up" in child.last_lines(), what="the child to be up")
    supervisor.stop()
    assert not child.running()
    assert "did not stop by itself and is killed" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_killing_the_supervisor_leaves_no_child_behind(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from agentops.dev.child import Child, Service;"
        f"child = Child(Service(name='c', arguments=('-c', {SLEEPS!r}), stage=1),"
        " log=Path(sys.argv[1]));"
        "child.start(); print(child._process.pid, flush=True); sys.stdin.read()"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout
    pid = int(supervisor.stdout.readline())
    assert is_alive(pid)
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.communicate()
    wait_until(lambda: not is_alive(pid), what="the child's death")


def test_a_taken_port_that_was_asked_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = ports.first_free([])
    monkeypatch.setenv("AGENTOPS_PORT", str(taken))
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(CommandError, match=f"Port {taken} .* is taken"):
        services.web_port()


def test_without_a_wish_the_next_free_port_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTOPS_PORT", raising=False)
    monkeypatch.setattr(ports, "is_free", lambda port: port != services.DEFAULT_PORT)
    assert services.web_port() == 8010


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_who_has_an_llm_gets_no_rehearsal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert services.needs_rehearsal()
    monkeypatch.setenv(name, "http://127.0.0.1:1/v1")
    assert not services.needs_rehearsal()
