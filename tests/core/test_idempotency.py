"""One key per place, the same for ever."""

from __future__ import annotations

from itertools import product

import pytest

from executions.core import idempotency

EXECUTIONS = ("5e9cb0b2-0f3f-4b52-9a83-6f0a4c6f0b11", "5e9cb0b2-0f3f-4b52-9a83-6f0a4c6f0b12")


def test_the_key_of_a_place_never_changes() -> None:
    """Another formula would send what is under way a second time after an upgrade."""
    assert idempotency.key(execution_id=EXECUTIONS[0], step_number=3, call_index=1) == (
        "968c2e867216e007139a97422e7c67587c9aa0f480c87373af8570ba9a917389"
    )


def test_every_place_has_a_key_of_its_own() -> None:
    places = list(product(EXECUTIONS, (1, 2, 11, 12), (0, 1, 2, 10)))
    keys = {idempotency.key(execution_id=e, step_number=s, call_index=c) for e, s, c in places}
    assert len(keys) == len(places)


@pytest.mark.parametrize(
    ("window_s", "age_s", "lapsed"),
    [(None, 1e9, False), (100, 0, False), (100, 79, False), (100, 80, True), (100, 1e9, True)],
)
def test_a_key_is_given_up_before_the_other_side_forgets_it(
    window_s: float | None, age_s: float, lapsed: bool
) -> None:
    """T8: at four fifths of the time."""
    assert idempotency.is_lapsed(window_s=window_s, age_s=age_s) is lapsed
