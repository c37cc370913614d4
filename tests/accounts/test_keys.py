"""Which key a person may put where."""

from __future__ import annotations

import pytest
from django.test import Client

from agentops.accounts.keys import KEYS, faults, own_of, strokes_of
from tests import factories
from tests.executions import desk

USUAL = strokes_of({})


def test_the_usual_keys_are_all_right_and_say_nothing_of_a_person() -> None:
    assert faults(USUAL) == {}
    assert own_of(USUAL) == {}
    assert len(USUAL) == len(KEYS)


@pytest.mark.parametrize("stroke", ["x", "A", "é", "+", "1", "&", "<", "ж"])
def test_one_character_may_be_a_key(stroke: str) -> None:
    strokes = strokes_of({"approve": stroke})
    assert faults(strokes) == {}
    assert own_of(strokes) == {"approve": stroke}


@pytest.mark.parametrize("stroke", ["xy", " ", "\t", "\u200b", "\u00a0", "\x00", "\U0001f600", "g"])
def test_what_no_single_key_makes_or_is_taken_may_not(stroke: str) -> None:
    assert list(faults({**USUAL, "approve": stroke})) == ["approve"]


def test_one_key_does_one_thing() -> None:
    wrong = faults({**USUAL, "approve": "r"})
    assert wrong == {
        "approve": "“r” is the key to “reject; it asks why”, too.",
        "reject": "“r” is the key to “approve; it asks first”, too.",
    }
    assert faults({**USUAL, "approve": "r", "reject": "a"}) == {}


def test_what_is_kept_of_an_action_there_is_no_more_does_not_matter() -> None:
    assert strokes_of({"sing": "x", "approve": ""}) == USUAL


@pytest.mark.django_db
def test_a_person_keeps_only_what_is_not_usual(client: Client) -> None:
    rita = factories.reviewer("rita")
    client.force_login(rita)
    sent = {"shortcuts": "on", "key_approve": "x", "key_reject": "r", "key_open": ""}
    assert client.post("/you/", sent).status_code == 302
    assert factories.fresh(rita).keys == {"approve": "x"}
    page = client.get("/you/").content.decode()
    assert 'name="key_approve" value="x"' in page
    assert "<kbd>x</kbd></dt><dd>approve; it asks first" in page
    assert 'data-key="x"' in client.get(desk.url(desk.proposed())).content.decode()
    refused = client.post("/you/", {**sent, "key_edit": "x", "key_up": "\x00"})
    assert refused.status_code == 422
    assert factories.fresh(rita).keys == {"approve": "x"}
