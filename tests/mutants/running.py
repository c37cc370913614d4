"""A copy of the project with one protection less, and its tests' verdict."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agentops.environment import BASE_DIR
from tests.mutants.mutant import Mutant
from tests.support.source import project_files

FAILURES_WANTED = 3
MOST_S = 600
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
FOUND, NOTHING_FOUND = 1, 0  # pytest's exit statuses: tests failed; all passed


@dataclass(frozen=True)
class Verdict:
    """`caught_by` are the first tests that failed without the protection."""

    mutant: Mutant
    caught_by: tuple[str, ...]
    said: str


@contextmanager
def copy_of_the_project() -> Iterator[Path]:
    """A folder with every file that is or would be committed, and a place for its databases."""
    with tempfile.TemporaryDirectory(prefix="agentops-mutants-") as name:
        root = Path(name, "project")
        for path in project_files():
            target = root / path.relative_to(BASE_DIR)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        Path(name).chmod(0o755)  # PostgreSQL may have to run as another user
        yield root


def judge(mutant: Mutant, root: Path) -> Verdict:
    """Apply the mutant in the copy, run its suites until one fails, and take it out again."""
    originals = {patch.file: (root / patch.file).read_text() for patch in mutant.patches}
    try:
        for patch in mutant.patches:
            patch.apply(root)
        return _verdict(mutant, root)
    finally:
        for file, text in originals.items():
            (root / file).write_text(text)


def _verdict(mutant: Mutant, root: Path) -> Verdict:
    said = ""
    for suite in mutant.suites:
        try:
            ended = _pytest(root, *suite.split())
        except subprocess.TimeoutExpired:
            return Verdict(mutant, (f"{suite} (no end within {MOST_S} s)",), said)
        said += ended.stdout[-3000:] + ended.stderr[-1000:]
        if ended.returncode == FOUND and (failed := FAILED.findall(ended.stdout)):
            return Verdict(mutant, tuple(failed), said)
        if ended.returncode != NOTHING_FOUND:
            raise RuntimeError(f"{mutant.name}: {suite} could not be run:\n{said}")
    return Verdict(mutant, (), said)


def _pytest(root: Path, *what: str) -> subprocess.CompletedProcess[str]:
    # Its own database server; the browser and whatever else the machine has stay.
    options = ["-q", "-p", "no:cacheprovider", f"--maxfail={FAILURES_WANTED}", "--no-header"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *what],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
    )
