"""Looking records up by the ids an LLM gives: found, or a ToolError it can act on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeVar

from django.db import models
from pydantic import Field

from tools.base import ToolError
from tools.models import (
    Customer,
    CustomerMessage,
    Document,
    Regulation,
    Regulator,
    owners_in_words,
)
from tools.pages import Paper

PDF = "application/pdf"

CustomerId = Annotated[str, Field(pattern=r"^C-[0-9]{4,12}$", description="like C-1001")]
DocumentId = Annotated[
    str, Field(pattern=r"^DOC-[0-9a-f]{12}$", description="DOC- and 12 hex characters")
]
MessageId = Annotated[str, Field(pattern=r"^M-[0-9]{4,12}$", description="like M-2001")]
RegulationCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,30}$", description="like AML-6")]
RegulatorId = Annotated[
    str, Field(pattern=r"^REG-[A-Z0-9-]{1,40}$", description="as lookup_regulation gives it")
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 hex characters")]

Row = TypeVar("Row", bound=models.Model)


def customer(customer_id: str, *, lock: bool = False) -> Customer:
    """Return the customer, with `lock` locked until the transaction ends; ToolError if unknown."""
    rows = Customer.objects.select_for_update() if lock else Customer.objects.all()
    return _one(rows, customer_id, "customer", "find_customers finds them by name")


def regulation(code: str) -> Regulation:
    """Return the regulation with its regulator; ToolError if unknown, naming those there are."""
    known = Regulation.objects.values_list("code", flat=True)[:20]
    return _one(
        Regulation.objects.select_related("regulator"),
        code,
        "regulation",
        lambda: f"there are {', '.join(known)}",
    )


def regulator(regulator_id: str) -> Regulator:
    """Return the regulator; ToolError if unknown."""
    return _one(
        Regulator.objects.all(), regulator_id, "regulator", "lookup_regulation names the right one"
    )


def document(document_id: str) -> Document:
    """Return the document, its bytes not yet loaded; ToolError if unknown."""
    rows = Document.objects.defer("content").select_related("customer")
    return _one(rows, document_id, "document", "list_customer_documents lists a customer's")


def paper(found: Document) -> Paper:
    """Return a stored PDF as what people see page by page."""
    return Paper(
        title=found.title,
        sha256=found.sha256,
        pages=found.pages,
        size=len(found.content),
        read=lambda: bytes(found.content),
        document_id=found.document_id,
    )


def message(message_id: str) -> CustomerMessage:
    """Return the customer's message; ToolError if unknown."""
    return _one(CustomerMessage.objects.all(), message_id, "message", "check the id")


def facts(record: Customer) -> list[tuple[str, str]]:
    """Return what we hold on a customer as (label, value) in words, nothing left out silently."""
    return [
        ("Name", record.name),
        ("Customer number", record.customer_id),
        ("Kind", "Company" if record.kind == Customer.Kind.COMPANY else "Natural person"),
        ("Registration number", record.registration_number or "Not on record"),
        ("Address", record.address or "Not on record"),
        ("Country, ISO 3166", record.country),
        ("Business", record.industry or "Not on record"),
        ("Beneficial owners", owners_in_words(record.beneficial_owners) or "None on record"),
        ("Politically exposed", "Yes" if record.politically_exposed else "No"),
        ("Risk rating", record.risk_rating.capitalize()),
        ("Customer since", f"{record.onboarded_on:%-d %B %Y}"),
        ("Last reviewed", _day(record.last_reviewed_on)),
    ]


def _day(value: date | None) -> str:
    return f"{value:%-d %B %Y}" if value else "Never"


def _one(rows: models.QuerySet[Row], key: str, noun: str, hint: str | Callable[[], str]) -> Row:
    found = rows.filter(pk=key).first()
    if found is None:
        raise ToolError(f"There is no {noun} {key}; {hint() if callable(hint) else hint}.")
    return found
