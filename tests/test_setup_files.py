"""The files around the code say what is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from agentops.environment import BASE_DIR

REQUIREMENTS = (BASE_DIR / "requirements.txt").read_text()


def project() -> dict[str, Any]:
    return tomllib.loads((BASE_DIR / "pyproject.toml").read_text())


def asked_for() -> list[str]:
    """The names of the direct dependencies."""
    wanted = project()["project"]["dependencies"] + project()["dependency-groups"]["dev"]
    return [re.split(r"[^\w.-]", line)[0] for line in wanted]


@pytest.mark.parametrize("name", asked_for())
def test_every_dependency_is_pinned_with_hashes(name: str) -> None:
    pinned = rf"^{re.escape(name)}(\[[^\]]*\])?==[^\n]* \\\n    --hash=sha256:"
    assert re.search(pinned, REQUIREMENTS, re.M), f"run `make lock`: {name} is not pinned"


@pytest.mark.parametrize("name", asked_for())
def test_every_dependency_is_explained(name: str) -> None:
    explained = (BASE_DIR / "docs" / "dependencies.md").read_text()
    assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\|", explained, re.M)


def test_the_pins_name_no_address() -> None:
    assert "://" not in REQUIREMENTS


@pytest.mark.parametrize("command", ["run", "test", "proofs", "soak", "check", "lock", "setup"])
def test_each_make_command_is_one_line_over_dev_py(command: str) -> None:
    makefile = (BASE_DIR / "Makefile").read_text()
    assert re.search(rf"^{command}:\n\t@python3 dev\.py {command}( \$\(ARGS\))?\n", makefile, re.M)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    assert "exec make test" in (BASE_DIR / ".ci" / "run").read_text()


def test_dev_py_explains_itself_when_it_does_not_understand() -> None:
    said = subprocess.run(
        [sys.executable, "dev.py", "fly"], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert "run | test | proofs | soak | check | bench | lock | setup" in said.stderr
