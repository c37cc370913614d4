"""python -m tests.mutants [NAME …]: judge mutants, print the table, end with 1 if one survives."""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.protections import MUTANTS
from tests.mutants.running import Verdict, copy_of_the_project, judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    names = [mutant.name for mutant in MUTANTS]
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME")
    wanted = parser.parse_args().names or names
    verdicts = []
    with copy_of_the_project() as root:
        for mutant in MUTANTS:
            if mutant.name in wanted:
                began = time.monotonic()
                verdicts.append(judge(mutant, root))
                _say(verdicts[-1], time.monotonic() - began)
    print(table(verdicts))  # noqa: T201
    return sum(not verdict.caught_by for verdict in verdicts)


def table(verdicts: list[Verdict]) -> str:
    """Return the verdicts as Markdown."""
    lines = ["| protection switched off | first tests that fail |", "|---|---|"]
    for verdict in verdicts:
        names = dict.fromkeys(f"`{_short(name)}`" for name in verdict.caught_by)
        tests = "<br>".join(names) or "**none**"
        lines.append(f"| {verdict.mutant.protection} | {tests} |")
    return "\n".join(lines)


def _say(verdict: Verdict, seconds: float) -> None:
    result = f"caught by {verdict.caught_by[0]}" if verdict.caught_by else "SURVIVES"
    print(f"{verdict.mutant.name:<24} {seconds:5.0f} s  {result}", file=sys.stderr, flush=True)  # noqa: T201


def _short(test: str) -> str:
    """Return `tests/a/test_b.py::test_c` without its parameters, which may hold anything."""
    return test.partition("[")[0]


if __name__ == "__main__":
    sys.exit(main())
