from __future__ import annotations

from typing import Any

from tools import records
from tools.base import Effect, tool
from tools.models import Document

MOST = 100


@tool(effect=Effect.READ)
def list_customer_documents(*, customer_id: records.CustomerId) -> dict[str, Any]:
    """List the documents on file for one customer, the newest first."""
    record = records.customer(customer_id)
    found = Document.objects.filter(customer=record).defer("content", "text")[:MOST]
    return {
        "documents": [
            {
                "document_id": d.document_id,
                "title": d.title,
                "kind": d.kind,
                "date": d.created_at.date().isoformat(),
            }
            for d in found
        ]
    }
