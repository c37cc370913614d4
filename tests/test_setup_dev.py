"""dev.py: what it installs with, and what it says when it cannot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dev


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An empty project on a machine whose programs only note how they were called."""
    machine = SimpleNamespace(calls=[], fails=lambda command: False)

    def call(command: Sequence[str], **options: Any) -> int:
        machine.calls.append(" ".join(Path(word).name for word in command))
        return 1 if machine.fails(command) else 0

    def make_venv(command: Sequence[str], **options: Any) -> int:
        status = call(command, **options)
        if status == 0 and "venv" in command:
            (tmp_path / "venv").mkdir()
            (tmp_path / "venv" / "python").touch()
        return status

    (tmp_path / "requirements.txt").write_text("django==5.2\n")
    monkeypatch.setattr(dev, "ROOT", str(tmp_path))
    monkeypatch.setattr(dev, "VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(dev, "PYTHON", str(tmp_path / "venv" / "python"))
    monkeypatch.setattr(dev, "REQUIREMENTS", str(tmp_path / "requirements.txt"))
    monkeypatch.setattr(dev, "newest_python", lambda: "python3")
    monkeypatch.setattr(dev, "with_dots", lambda command: call(command) == 0)
    monkeypatch.setattr(subprocess, "call", make_venv)
    monkeypatch.setattr(subprocess, "check_output", lambda command: b"Python 3.11")
    return machine


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say which programs are on PATH."""

    def programs(*names: str) -> None:
        monkeypatch.setattr(dev.shutil, "which", lambda name: name if name in names else None)

    return programs


def test_it_installs_with_uv_where_there_is_one(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs("uv")
    dev.setup()
    assert machine.calls[0].startswith("uv venv")
    assert "--require-hashes" in machine.calls[1]
    assert len(machine.calls) == 2


def test_it_installs_with_pip_where_there_is_no_uv(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs()
    dev.setup()
    assert machine.calls[0] == "python3 -m venv venv"
    assert machine.calls[1].startswith("python -m pip install")
    assert "--require-hashes" in machine.calls[1]


def test_it_falls_back_to_pip_when_uv_fails(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs("uv")
    machine.fails = lambda command: command[0] == "uv" and "install" in command
    dev.setup()
    assert machine.calls[-1].startswith("python -m pip install")


def test_it_uses_the_machines_pip_where_venv_brings_none(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs()
    machine.fails = lambda command: "venv" in command and "--without-pip" not in command
    dev.setup()
    assert machine.calls[-1].startswith("python3 -m pip --python python install")


def test_it_installs_nothing_twice(machine: SimpleNamespace, programs: Callable[..., None]) -> None:
    programs("uv")
    dev.setup()
    machine.calls.clear()
    dev.setup()
    assert machine.calls == []


def test_it_installs_again_when_the_requirements_change(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs("uv")
    dev.setup()
    machine.calls.clear()
    Path(dev.REQUIREMENTS).write_text("django==5.3\n")
    dev.setup()
    assert machine.calls[0].startswith("uv venv")


def test_it_leaves_no_half_made_environment_behind(
    machine: SimpleNamespace, programs: Callable[..., None]
) -> None:
    programs()
    machine.fails = lambda command: "install" in command
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        dev.setup()
    assert not Path(dev.VENV).exists()


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """No browser can be had; what dev.py would have become is noted."""
    became: list[tuple[str, ...]] = []
    nothing = SimpleNamespace(stdout="\n")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: nothing)
    monkeypatch.setattr(dev, "become", lambda *arguments: became.append(arguments))
    return became


def test_in_ci_a_missing_browser_fails_the_tests(
    no_browser: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    assert "with CI=true" in dev.test()
    assert no_browser == []


def test_elsewhere_it_says_what_will_be_skipped(
    no_browser: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("CI", raising=False)
    dev.test("-k", "reviewer")
    assert "tests in tests/browser will be skipped" in capsys.readouterr().out
    assert no_browser[0][-2:] == ("-k", "reviewer")
