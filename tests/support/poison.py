"""Puts every payload into every column that holds text or JSON, whoever writes it, by plain SQL.

New columns are poisoned by themselves. KEPT are those that people, LLMs and customers cannot write,
or that are chosen from what the registries have; their rows in tests are made hostile one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection, models, transaction

from agentops.accounts.models import User
from tests.support.payloads import PAYLOADS, TEXT

APPS = ("executions", "tools", "accounts")
KEPT = {
    # made by us out of rows, or compared with them
    *(
        "agent_tool_calls.input_digest",
        "agent_reviews.input_digest",
        "agent_review_votes.input_digest",
    ),
    *("agent_audit.hash", "agent_audit.prev_hash", "agent_steps.request_digest"),
    *("agent_audit_seals.heads_hash", "agent_audit_seals.prev_hash", "agent_audit_sealed.hash"),
    *("agent_definitions.body", "agent_definitions.agent_type", "agent_executions.limits"),
    *("tools_document.sha256", "tools_document.kind", "tools_document.content_type"),
    # names of what is registered, of places, and their own kind of id
    *("agent_executions.agent_type", "agent_tool_calls.tool_name", "agent_reviews.tool_name"),
    *("agent_controls.key", "agent_budgets.key", "tools_customer.country"),
    # made hostile when it is proposed: its digest is a column
    "agent_tool_calls.tool_input",
    *("accounts_user.password", "accounts_user.time_zone"),
}
INDEXED = {
    "agent_executions.idempotency_key",
    "agent_executions.stop_reason",
    "agent_reviews.customer_id",
}
"""An index takes no long text: these get one payload in each row."""

ONLY_WHERE_SET = {"agent_reviews.edited_input"}
"""A row with one is another kind of row."""


@transaction.atomic
def poison() -> None:
    ours = [one for app in APPS for one in apps.get_app_config(app).get_models()]
    for model in [*ours, Group]:
        fields = model._meta.local_concrete_fields
        with past_guards(model._meta.db_table):
            for field in fields:
                if is_poisonable(field) and _place(field) not in KEPT:
                    _fill(model, field)


@contextmanager
def past_guards(table: str) -> Iterator[None]:
    """Let the block write what the table's guards refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def is_poisonable(field: Any) -> bool:
    holds_text = isinstance(field, models.TextField | models.CharField | models.JSONField)
    return holds_text and not (field.choices or field.primary_key or field.is_relation)


def _fill(model: type[models.Model], field: Any) -> None:
    rows, place = model._base_manager.all(), _place(field)
    if model is User:
        rows = rows.filter(is_service=False)  # it outlives the test
    if place in ONLY_WHERE_SET:
        rows = rows.exclude(**{field.name: None})
    if isinstance(field, models.JSONField):
        for pk, old in list(rows.values_list("pk", field.name)):
            rows.filter(pk=pk).update(**{field.name: poisoned(old, f"{TEXT}\n{name_of(place)}")})
    elif field.unique or field.max_length or place in INDEXED:
        for number, pk in enumerate(list(rows.values_list("pk", flat=True))):
            text = PAYLOADS[number * 7 % len(PAYLOADS)]
            rows.filter(pk=pk).update(**{field.name: text[: field.max_length]})
    else:
        rows.update(**{field.name: f"{TEXT}\n{name_of(place)}"})


def _place(field: Any) -> str:
    return f"{field.model._meta.db_table}.{field.column}"


def name_of(place: str) -> str:
    """Return what a column's long texts end with, so that a page shows which columns it shows."""
    return f"column {place} ends"


def poisoned(value: Any, text: str = TEXT) -> Any:
    """Return JSON of the same shape in which each text is all payloads, as are more keys."""
    match value:
        case str() | None:
            return text
        case dict():
            inner = {key: one if key == "id" else poisoned(one, text) for key, one in value.items()}
            return {**inner, **{payload: number for number, payload in enumerate(PAYLOADS)}}
        case list():
            return [poisoned(one, text) for one in value] or [text]
        case _:
            return value
