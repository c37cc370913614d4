"""Every protection can be switched off, and its loss is noticed (`make proofs` runs them all)."""

from __future__ import annotations

import re

import pytest

from agentops.environment import BASE_DIR
from tests.mutants.mutant import Mutant
from tests.mutants.protections import MUTANTS
from tests.mutants.running import copy_of_the_project, judge

QUICK = ("token",)  # one for the short form: its suite takes seconds


def each(*, long: bool) -> pytest.MarkDecorator:
    slow = {one.name: [pytest.mark.long] for one in MUTANTS if long and one.name not in QUICK}
    mutants = [pytest.param(one, id=one.name, marks=slow.get(one.name, [])) for one in MUTANTS]
    return pytest.mark.parametrize("mutant", mutants)


@each(long=False)
def test_a_protection_is_where_its_mutant_says(mutant: Mutant) -> None:
    problems = [problem for patch in mutant.patches if (problem := patch.problem(BASE_DIR))]

    assert not problems


def test_no_two_mutants_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))


@each(long=True)
@pytest.mark.slow
def test_the_suite_fails_without_it(mutant: Mutant) -> None:
    with copy_of_the_project() as root:
        verdict = judge(mutant, root)

    assert verdict.caught_by, f"nothing fails without this: {mutant.protection}\n{verdict.said}"


def test_the_documentation_tells_every_protection_and_what_misses_it() -> None:
    told = (BASE_DIR / "docs/reliability.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (`tests/[^`]+::.+) \|$", told, re.MULTILINE)

    assert [protection for protection, _ in rows] == [one.protection for one in MUTANTS]
    for test in {name for _, cell in rows for name in re.findall(r"`(.+?)`", cell)}:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (BASE_DIR / file).read_text(), test
