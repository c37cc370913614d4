from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from tools import conf
from tools.models import Customer, CustomerMessage, Document, Regulation, Regulator

FOLDER = Path(__file__).parents[2] / "sample_data"


class Command(BaseCommand):
    help = (
        "Load sample customers, regulations, regulators, documents and messages. What is there "
        "already stays as it is, except that test regulators follow the sandbox's address."
    )

    @transaction.atomic
    def handle(self, **_: Any) -> None:
        loaded = {
            "customers": _load_customers(),
            "regulators": _load_regulators(),
            "regulations": _load_regulations(),
            "documents": _load_documents(),
            "messages": _load_messages(),
        }
        told = ", ".join(f"{made} of {count} {noun}" for noun, (made, count) in loaded.items())
        self.stdout.write(f"Sample data: added {told}.")


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return rows


def _load_customers() -> tuple[int, int]:
    rows = _rows("customers")
    for row in rows:
        for name in ("onboarded_on", "last_reviewed_on"):
            row[name] = date.fromisoformat(row[name]) if row[name] else None
    return _add(Customer, "customer_id", rows)


def _load_regulators() -> tuple[int, int]:
    endpoint = conf.sandbox_regulator_url()
    rows = [{**row, "endpoint": endpoint, "is_live": False} for row in _rows("regulators")]
    ids = [row["regulator_id"] for row in rows]
    Regulator.objects.filter(pk__in=ids, is_live=False).exclude(endpoint=endpoint).update(
        endpoint=endpoint
    )
    return _add(Regulator, "regulator_id", rows)


def _load_regulations() -> tuple[int, int]:
    return _add(Regulation, "code", _rows("regulations"))


def _load_documents() -> tuple[int, int]:
    return _add(Document, "document_id", [_document(row) for row in _rows("documents")])


def _document(row: dict[str, Any]) -> dict[str, Any]:
    content = (FOLDER / "documents" / row["file"]).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return {
        "document_id": f"DOC-{sha256[:12]}",
        "kind": row["kind"],
        "title": row["title"],
        "customer_id": row["customer_id"],
        "text": content.decode(),
        "content": content,
        "content_type": "text/plain; charset=utf-8",
        "sha256": sha256,
        "pages": 1,
        "created_at": datetime.combine(date.fromisoformat(row["date"]), time(9), tzinfo=UTC),
    }


def _load_messages() -> tuple[int, int]:
    rows = _rows("messages")
    for row in rows:
        row["received_at"] = datetime.fromisoformat(row["received_at"])
    return _add(CustomerMessage, "message_id", rows)


def _add(model: Any, key: str, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Add the rows whose key is new; return how many were added, of how many."""
    there = set(
        model.objects.filter(pk__in=[row[key] for row in rows]).values_list("pk", flat=True)
    )
    model.objects.bulk_create([model(**row) for row in rows if row[key] not in there])
    return len(rows) - len(there), len(rows)
