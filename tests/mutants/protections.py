"""The protections whose loss must be noticed, read from `protections.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.mutants.mutant import Mutant, Patch

EVERYTHING = "tests/core tests/executions tests/faults"  # when no narrower suite noticed

_LIST = tomllib.loads(Path(__file__).with_name("protections.toml").read_text(encoding="utf-8"))

MUTANTS = tuple(
    Mutant(
        name=given["name"],
        protection=given["protection"],
        patches=tuple(Patch(**patch) for patch in given["patch"]),
        suites=(given["first"], EVERYTHING),
    )
    for given in _LIST["mutant"]
)
