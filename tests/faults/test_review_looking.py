"""Looking changes nothing: every address, as everybody, by every method that only looks."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.executions import desk
from tests.executions.relations import Relations
from tests.support.addresses import every_address, known_by, ours
from tests.support.contents import changed, contents
from tests.support.effort import Effort

pytestmark = pytest.mark.django_db

# Addresses that their list does not name: words in the query, an id of nothing, no page at all.
ODD = (
    "/nowhere/",
    "/reviews/?tool=send_email",
    "/reviews/?page=x",
    "/metrics/?window=24h",
    "/reviews/00000000-0000-4000-8000-000000000000/",
    "/documents/nothing/?download",
    "/executions/launch/?agent=customer_record_steward",
)


def places(relations: Relations, *, everything: bool) -> list[str]:
    """The addresses, filled in with each thing that is there to be asked about; those of ours
    with one of each, or all with all."""
    reviews = (relations.newest, relations.undoable, relations.doubt, relations.alike)
    known = [known_by(review) for review in reviews]
    if everything:
        return sorted({*ODD, *(one.url(each) for one in every_address() for each in known)})
    return sorted({*ODD, *(one.url(known[at % 3]) for at, one in enumerate(ours()))})


def test_no_address_changes_anything_by_being_looked_at(effort: Effort) -> None:
    """R15: a mail scanner opens every link. The table of rights (test_rights_matrix.py) goes to
    every address by GET; here they are asked in the other ways that only look, and with more."""
    relations = Relations()
    found = places(relations, everything=effort.is_long)
    for who, person in relations.people.items():
        client = Client()
        if person:
            client.force_login(person)
        before = contents()
        for place in found:
            for method in (client.get, client.options) if place in ODD else (client.head,):
                assert method(place).status_code < 500, (who, place)
            if effort.is_long:
                client.get(place)
                client.options(place)
        assert changed(before) == set(), who


def test_a_link_with_everything_in_it_decides_nothing(client: Client) -> None:
    """R15: not even an address that carries a whole form."""
    relations = Relations()
    voter = relations.people["voted"]
    assert voter
    client.force_login(voter)
    before = contents()
    for verb in ("decide", "settle", "withdraw", "edit", "ask", "cancel"):
        for review in (relations.newest, relations.undoable, relations.doubt):
            fields = {
                **desk.form(review, "approve", "because"),
                "verdict": "drop",
                "step": "confirm",
                "arguments": "{}",
            }
            for method in (client.get, client.head, client.options):
                assert method(desk.url(review, verb), fields).status_code < 500
    assert changed(before) == set()
