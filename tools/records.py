"""Looking records up by the ids an LLM gives: found, or a ToolError it can act on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from django.db import models
from django.db.models.functions import Lower
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
from tools.read_once import remember, remembered

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


@dataclass(frozen=True)
class State:
    """What a record is at: its version, and whether a call of it is for real."""

    version: str
    is_live: bool


def states(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], State]:
    """Return the state of each of these records (kind, id) that there is, by one statement."""
    if not keys:
        return {}
    test = models.Value(False)
    customers = _states(Customer.objects.all(), "customer", keys, is_live=test)
    regulators = _states(Regulator.objects.all(), "regulator", keys, is_live=models.F("is_live"))
    found = customers.union(regulators, all=True)
    return {(kind, key): State(str(version), is_live) for kind, key, version, is_live in found}


def _states(
    rows: models.QuerySet[Row], kind: str, keys: Collection[tuple[str, str]], *, is_live: Any
) -> models.QuerySet[Row, tuple[str, str, int, bool]]:
    wanted = [key for its_kind, key in keys if its_kind == kind]
    return rows.filter(pk__in=wanted).values_list(
        models.Value(kind), models.F("pk"), models.F("version"), is_live
    )


def customer(customer_id: str, *, lock: bool = False) -> Customer:
    """Return the customer, with `lock` locked until the transaction ends; ToolError if unknown."""
    hint = "find_customers finds them by name"
    if lock:
        return _read(Customer.objects.select_for_update(), customer_id, "customer", hint)
    return _one(Customer.objects.all(), customer_id, "customer", hint)


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


def document(document_id: str, *, with_bytes: bool = False) -> Document:
    """Return the document, its bytes not yet loaded but if asked; ToolError if unknown."""
    rows = _documents() if with_bytes else _documents().defer("content")
    return _one(rows, document_id, "document", "list_customer_documents lists a customer's")


def documents(ids: Sequence[str]) -> list[Document]:
    """Return those of these documents that there are, with their bytes, by one query."""
    found = list(_documents().filter(pk__in=ids))
    for one in found:
        remember(("document", one.pk), one)
    return found


def _documents() -> models.QuerySet[Document]:
    return Document.objects.select_related("customer", "regulation")


def at_address(addresses: Sequence[str]) -> dict[str, list[Customer]]:
    """Return the customers whose addresses these are, by address in lower case."""
    wanted = tuple(sorted({address.lower() for address in addresses}))
    return remembered(("addresses", wanted), lambda: _at_address(wanted))


def _at_address(wanted: Sequence[str]) -> dict[str, list[Customer]]:
    known: dict[str, list[Customer]] = {}
    for one in Customer.objects.annotate(lower=Lower("email")).filter(lower__in=wanted):
        known.setdefault(one.email.lower(), []).append(one)
    return known


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
    return remembered((noun, key), lambda: _read(rows, key, noun, hint))


def _read(rows: models.QuerySet[Row], key: str, noun: str, hint: str | Callable[[], str]) -> Row:
    found = rows.filter(pk=key).first()
    if found is None:
        raise ToolError(f"There is no {noun} {key}; {hint() if callable(hint) else hint}.")
    return found
