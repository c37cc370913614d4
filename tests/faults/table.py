"""Which test shows which fault: read from the tests' own docstrings ("A1, A2: …").

python -m tests.faults.table            the table as it stands in docs/reliability.md
python -m tests.faults.table --run      run exactly those tests; all must pass
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections import defaultdict

from agentops.environment import BASE_DIR
from tests.faults.catalogue import GROUPS, rows
from tests.support.source import modules

NAMED = re.compile(r"[A-Z]\d{1,2}(?:, ?[A-Z]\d{1,2})*(?=:)")
OTHERS = "IS"  # tests may name a promise, or a threat, in the same way
SHOWN_AT_MOST = 4  # names in one cell of the table


def shown_by() -> dict[str, list[str]]:
    """Return the tests ("tests/…/test_x.py::test_y") by the fault they name."""
    found: dict[str, list[str]] = defaultdict(list)
    for module in modules("tests"):
        for function in module.functions():
            named = NAMED.match(ast.get_docstring(function) or "")
            if function.name.startswith("test_") and named:
                test = f"{module.path.relative_to(BASE_DIR)}::{function.name}"
                for id in named[0].replace(" ", "").split(","):
                    if id[0] not in OTHERS:
                        found[id].append(test)
    return dict(found)


def table() -> str:
    """Return the catalogue as Markdown, one table per group."""
    tests, parts = shown_by(), []
    for letter, title in GROUPS.items():
        parts.append(f"### {title}\n\n| | fault | what comes of it | shown by |\n|---|---|---|---|")
        parts += [
            f"| {id} | {fault} | {outcome} | {_cell(tests.get(id, []))} |"
            for id, (fault, outcome) in rows().items()
            if id[0] == letter
        ]
        parts.append("")
    return "\n".join(parts)


def _cell(tests: list[str]) -> str:
    names = [f"`{test.removeprefix('tests/')}`" for test in tests[:SHOWN_AT_MOST]]
    more = len(tests) - SHOWN_AT_MOST
    return "<br>".join(names + ([f"and {more} more"] if more > 0 else [])) or "**no test yet**"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.table", description=__doc__)
    parser.add_argument("--run", action="store_true", help="run the named tests")
    if not parser.parse_args().run:
        print(table())  # noqa: T201
        return 0
    tests = sorted({test for named in shown_by().values() for test in named})
    return subprocess.call([sys.executable, "-m", "pytest", "-q", *tests], cwd=BASE_DIR)


if __name__ == "__main__":
    sys.exit(main())
