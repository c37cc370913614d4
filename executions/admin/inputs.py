"""What executions were launched about: the values of their input, as lists show and find them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left

from executions.admin.paginator import CAP
from executions.agents import all_agents
from executions.models import AgentExecution, AgentReview
from executions.templatetags.visible import marked

SHOWN_CHARS, SHOWN_KEYS = 60, 12
PREFIX = "input_"


def with_inputs(rows: QuerySet[Any], path: str = "input_data") -> QuerySet[Any]:
    """Have the rows carry the beginnings of their input's values, and none of it else."""
    values = {f"{PREFIX}{key}": _value(key, path) for key in keys()[:SHOWN_KEYS]}
    annotated: QuerySet[Any] = rows.annotate(**values)
    return annotated


def about(row: Any) -> str:
    """Return the input's values of a row that `with_inputs` gave: `C-1003, AML-6`."""
    values = (getattr(row, f"{PREFIX}{key}", None) for key in keys())
    return ", ".join(marked(value) for value in values if value)


def executions_about(term: str) -> QuerySet[Any, Any]:
    """Return the ids of the executions whose input holds the term, or one of whose gated calls is
    about that customer; each by an index, and no more of the newest than lists count."""
    given = reduce(or_, (Q(input_data__contains={key: term}) for key in keys()), Q(pk__in=()))
    launched = AgentExecution.objects.filter(given).newest_first().values("pk")
    reviewed = AgentReview.objects.filter(customer_id=term).order_by("-created_at")
    return launched[:CAP].union(reviewed.values("execution_id")[:CAP])


def keys() -> list[str]:
    """Return the names of all agents' inputs."""
    return list(dict.fromkeys(key for one in all_agents() for key in one.input_model.model_fields))


def _value(key: str, path: str) -> Left:
    return Left(KeyTextTransform(key, path), SHOWN_CHARS)
