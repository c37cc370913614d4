"""The id under which the LLM knows a call is its own, whatever ids a provider gives out."""

from __future__ import annotations

from executions.engine.proposing import _wire_id


def test_an_id_of_ours_is_never_one_that_a_provider_gave_to_another_call() -> None:
    """I11: two calls of one id would each be answered by both outputs."""
    given_before = {"call_2_0", "call_2_0_"}

    assert _wire_id("", given_before, 2, 0) not in given_before
    assert _wire_id("call_2_0", given_before, 2, 0) not in given_before
    assert _wire_id("", set(), 2, 0) == "call_2_0"
