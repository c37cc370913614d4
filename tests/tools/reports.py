"""Arguments for a report on Marlowe Shipping that can be made."""

from __future__ import annotations

from typing import Any

from tools.models import Document, Regulation


def findings(code: str = "AML-6", source: str = "C-1001") -> list[dict[str, Any]]:
    """One finding per requirement, alternating in status."""
    statuses = ["met", "not_met", "unclear"]
    requirements = Regulation.objects.get(pk=code).requirements
    return [
        {
            "requirement_id": one["id"],
            "finding": f"The record says so on {one['field']}.",
            "status": statuses[number % 3],
            "source": source,
        }
        for number, one in enumerate(requirements)
    ]


def report_arguments(**changes: Any) -> dict[str, Any]:
    extract = Document.objects.get(customer="C-1001", kind="register_extract").document_id
    usual = {
        "customer_id": "C-1001",
        "regulation_code": "AML-6",
        "title": "Due diligence report on Marlowe Shipping B.V.",
        "summary": "A customer since 2021.\n\nThe last review is overdue.",
        "findings": findings(source=f"C-1001, {extract}"),
    }
    return {**usual, **changes}
