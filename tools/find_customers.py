from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Annotated, Any

from django.db.models import Q
from pydantic import Field

from tools.base import Effect, tool
from tools.models import Customer


@tool(effect=Effect.READ)
def find_customers(
    *,
    query: Annotated[str, Field(min_length=1, max_length=200, description="words, or an id")],
    limit: Annotated[int, Field(ge=1, le=20)] = 5,
) -> dict[str, Any]:
    """Find customers whose name, e-mail address, registration number or id contains every word."""
    found = Customer.objects.filter(reduce(and_, map(_mentions, query.split()), Q()))[:limit]
    return {
        "customers": [
            {"customer_id": c.customer_id, "name": c.name, "email": c.email, "country": c.country}
            for c in found
        ]
    }


def _mentions(word: str) -> Q:
    return (
        Q(name__icontains=word)
        | Q(email__icontains=word)
        | Q(registration_number__icontains=word)
        | Q(customer_id__iexact=word)
    )
