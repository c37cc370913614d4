from __future__ import annotations

from typing import Any

from tools import records
from tools.base import Effect, tool
from tools.models import Customer


@tool(effect=Effect.READ)
def read_customer_record(*, customer_id: records.CustomerId) -> dict[str, Any]:
    """Read everything on record about one customer, and the record's current version."""
    return {"customer": as_json(records.customer(customer_id))}


def as_json(customer: Customer) -> dict[str, Any]:
    """Return the record as an LLM reads it; days as ISO dates."""
    reviewed = customer.last_reviewed_on
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "kind": customer.kind,
        "registration_number": customer.registration_number,
        "email": customer.email,
        "phone": customer.phone,
        "address": customer.address,
        "country": customer.country,
        "industry": customer.industry,
        "risk_rating": customer.risk_rating,
        "politically_exposed": customer.politically_exposed,
        "beneficial_owners": customer.beneficial_owners,
        "onboarded_on": customer.onboarded_on.isoformat(),
        "last_reviewed_on": reviewed.isoformat() if reviewed else None,
        "version": customer.version,
    }
