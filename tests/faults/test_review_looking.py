"""Looking changes nothing: every address, as everybody, by every method that only looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.support.effort import Effort

pytestmark = pytest.mark.django_db

NOT_OURS = {"admin:view_on_site", "admin:jsi18n"}  # Django's own, about nothing of ours


class Scene:
    """Reviews in each state, and everybody who may look at them."""

    def __init__(self) -> None:
        desk.load_sample_data()
        desk.report()
        self.olga = factories.person("olga", may=["view_*", "launch_execution", "cancel_execution"])
        self.rita = factories.reviewer("rita")
        self.omar = factories.reviewer("omar")
        self.review = desk.proposed(launched_by=self.olga)
        edited = desk.proposed()
        self.edited = operations.edit(
            review_id=edited.pk, person=self.omar, seen_digest=edited.input_digest,
            arguments={**desk.LETTER, "subject": "Edited"},
        )  # fmt: skip
        self.undoable = desk.proposed()
        AgentReview.objects.filter(pk=self.undoable.pk).update(
            effective_at=Now() + timedelta(hours=1)
        )
        factories.approve(factories.fresh(self.undoable), self.rita)
        self.doubt = desk.in_doubt(self.rita)

    def everybody(self) -> dict[str, User | None]:
        return {
            "nobody": None,
            "no role": factories.person("nora"),
            "launcher": self.olga,
            "reviewer and approver": self.rita,
            "editor": self.omar,
            "reviewer of another tool": factories.person("sam", may=["approve_update_*"]),
            "staff without rights": factories.person("stan", is_staff=True),
            "superuser": factories.person("ada", is_superuser=True, is_staff=True),
        }

    def known(self) -> list[dict[str, object]]:
        """What an address may be about, one set of ids per review."""
        some = (self.edited, self.undoable)
        return [
            {
                "review_id": one.pk,
                "execution_id": one.execution_id,
                "call_id": one.call_id,
                "document_id": "DOC-0123456789ab",
                "tool_name": one.tool_name,
            }
            for one in some
        ]


def addresses(scene: Scene) -> set[str]:
    """Every address of the site that an address list names, filled in with what exists."""
    found = {"/nowhere/", "/reviews/?tool=send_email", "/metrics/?window=24h", "/reviews/?page=x"}
    for name, arguments in _patterns(get_resolver().url_patterns, ""):
        if name in NOT_OURS:
            continue
        for known in scene.known():
            if arguments <= known.keys():
                given = {one: known[one] for one in arguments}
                found.add(reverse(name, kwargs=given))
    for model, pk in (
        ("executions_agentexecution", scene.review.execution_id),
        ("executions_agenttoolcall", scene.review.call_id),
        ("accounts_user", scene.rita.pk),
    ):
        for verb in ("change", "history", "delete"):
            found.add(reverse(f"admin:{model}_{verb}", args=[pk]))
    return found


def _patterns(
    patterns: list[URLPattern | URLResolver], space: str
) -> Iterator[tuple[str, set[str]]]:
    for one in patterns:
        if isinstance(one, URLResolver):
            inside = f"{one.namespace}:" if one.namespace else ""
            yield from _patterns(one.url_patterns, f"{space}{inside}")
        elif one.name:
            yield f"{space}{one.name}", set(one.pattern.regex.groupindex) - {"url"}


def contents() -> dict[str, str]:
    """A digest of every table there is."""
    with connection.cursor() as cursor:
        found = {}
        for name in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t"
            )
            found[name] = cursor.fetchone()[0]
        return found


def test_no_address_changes_anything_by_being_looked_at(effort: Effort) -> None:
    """R15: a mail scanner opens every link: GET, HEAD and OPTIONS change no table, for anybody."""
    scene = Scene()
    places = sorted(addresses(scene))
    assert len(places) > 40
    assert reverse("review-withdraw", args=[scene.undoable.pk]) in places
    for who, person in scene.everybody().items():
        client = Client()
        if person:
            client.force_login(person)
        before = contents()
        for place in places:
            methods = [client.get]
            if effort.is_long or who in ("nobody", "superuser"):
                methods += [client.head, client.options]
            for method in methods:
                assert method(place).status_code < 500, (who, place)
        after = contents()
        assert {name for name in before if before[name] != after[name]} == set(), who


def test_a_link_with_everything_in_it_decides_nothing(client: Client) -> None:
    """R15: not even an address that carries a whole form."""
    scene = Scene()
    client.force_login(scene.rita)
    before = contents()
    for verb in ("decide", "settle", "withdraw", "edit"):
        for review in (scene.review, scene.undoable, scene.doubt):
            fields = {
                **desk.form(review, "approve", "because"),
                "verdict": "drop",
                "step": "confirm",
                "arguments": "{}",
            }
            for method in (client.get, client.head, client.options):
                assert method(desk.url(review, verb), fields).status_code < 500
    assert contents() == before
