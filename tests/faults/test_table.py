"""docs/reliability.md says which test shows which fault, and says it truly."""

from __future__ import annotations

from agentops.environment import BASE_DIR
from tests.faults.catalogue import GROUPS, rows
from tests.faults.table import shown_by, table

FAULTS = 92


def test_the_catalogue_is_whole() -> None:
    assert len(rows()) == FAULTS
    assert {id[0] for id in rows()} == set(GROUPS)


def test_every_fault_that_a_test_names_is_in_the_catalogue() -> None:
    assert shown_by().keys() <= rows().keys()


def test_the_page_holds_the_table() -> None:
    page = (BASE_DIR / "docs" / "reliability.md").read_text(encoding="utf-8")

    assert table() in page, "write it anew: python -m tests.faults.table"
