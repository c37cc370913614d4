"""The soak itself, at its smallest: PostgreSQL is restarted under everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentops.environment import BASE_DIR
from tests.support.effort import Effort

pytestmark = [pytest.mark.processes, pytest.mark.slow]

REST_S = 120


def left_behind() -> set[Path]:
    return set((BASE_DIR / ".local").glob("soak-*"))


def soaked(report: Path, *, minutes: float, seed: int, only: str) -> dict[str, Any]:
    """Soak with one kind of fault; return the report."""
    command = [sys.executable, "-m", "tests.soak", "--report", str(report), "--seed", str(seed)]
    command += ["--minutes", str(minutes), "--only", only, "--monkey", "2", "4"]
    done = subprocess.run(
        [*command, "--quiet", str(REST_S)],
        cwd=BASE_DIR,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60 * minutes + REST_S + 120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    told: dict[str, Any] = json.loads(report.read_text())
    return told


@pytest.mark.xdist_group("soak")
def test_postgresql_restarted_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, effort: Effort
) -> None:
    """D1: fast and immediate, down for 0 to 5 s; people see 503 and try again."""
    before = left_behind()
    minutes = effort.times(short=12, long=300) / 60

    told = soaked(tmp_path / "soak.json", minutes=minutes, seed=effort.seed, only="postgres")

    assert told["violations"] == []
    assert told["monkey"]["postgres"] >= 2
    assert sum(told["statuses"].values()) >= told["accepted"] >= 3
    assert told["effects_outside"]["send_email"] >= 1
    assert sum(one.get("site away", 0) for one in told["robots"].values()) >= 1
    assert told["first_step_after_postgres_was_back"]["max_s"] < 30
    assert left_behind() <= before
