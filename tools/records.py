"""Looking records up by the ids an LLM gives: found, or a ToolError it can act on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
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
from tools.read_once import remembered, remembered_all

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

_CITED = re.compile(r"\b(?:C-[0-9]{4,12}|M-[0-9]{4,12}|DOC-[0-9a-f]{12})\b")
_KINDS = {"C": "customer", "M": "message", "DOC": "document"}

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class State:
    """What a record is at: its version, and whether a call of it is for real, where it may be a
    test (None where there is none)."""

    version: str
    is_live: bool | None

    def is_at(self, version: str) -> bool:
        """Test if the record is at the version of a Target, whatever else that one covers."""
        return version.partition("+")[0] == self.version


def states(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], State]:
    """Return the state of each of these records (kind, id) that there is, by one statement."""
    if not keys:
        return {}
    always = models.Value(None, output_field=models.BooleanField(null=True))
    customers = _states(Customer.objects.all(), "customer", keys, is_live=always)
    regulators = _states(Regulator.objects.all(), "regulator", keys, is_live=models.F("is_live"))
    found = customers.union(regulators, all=True)
    return {(kind, key): State(str(version), is_live) for kind, key, version, is_live in found}


def _states(
    rows: models.QuerySet[Row], kind: str, keys: Collection[tuple[str, str]], *, is_live: Any
) -> models.QuerySet[Row, tuple[str, str, int, bool | None]]:
    wanted = [key for its_kind, key in keys if its_kind == kind]
    return rows.filter(pk__in=wanted).values_list(
        models.Value(kind), models.F("pk"), models.F("version"), is_live
    )


def customer(customer_id: str, *, lock: bool = False) -> Customer:
    """Return the customer, with `lock` locked until the transaction ends; ToolError if unknown."""
    hint = "find_customers finds them by name"
    if lock:
        found = Customer.objects.select_for_update().filter(pk=customer_id).first()
        return _there(found, customer_id, "customer", hint)
    return _one(Customer.objects.all(), customer_id, "customer", hint)


def regulation(code: str) -> Regulation:
    """Return the regulation with its regulator; ToolError if unknown, naming those there are."""
    return _one(_regulations(), code, "regulation", lambda: f"there are {', '.join(_codes())}")


def _regulations() -> models.QuerySet[Regulation]:
    return Regulation.objects.select_related("regulator")


def _codes() -> list[str]:
    codes = Regulation.objects.values_list("code", flat=True)
    return remembered("regulation codes", lambda: list(codes[:20]))


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
    """Return those of these documents that there are, with their bytes, by one query at most."""
    found = remembered_all("document", ids, lambda missing: _documents().in_bulk(missing))
    return [one for one in found.values() if one is not None]


def _documents() -> models.QuerySet[Document]:
    return Document.objects.select_related("customer", "regulation")


def at_address(addresses: Collection[str]) -> dict[str, list[Customer]]:
    """Return the customers whose addresses these are, by address in lower case."""
    wanted = sorted({address.lower() for address in addresses})
    found = remembered_all("customers at", wanted, _at_address)
    return {address: customers for address, customers in found.items() if customers}


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


def cited_in(text: str) -> list[tuple[str, str]]:
    """Return the customers, messages and documents that a text names: (kind, id)."""
    return [(_KINDS[one.partition("-")[0]], one) for one in _CITED.findall(text)]


def load(keys: Iterable[tuple[str, str]]) -> None:
    """Inside read_once: read these records (kind, id) by a query for each kind. Of a "document" its
    bytes are not loaded, of a "file", which is one, they are."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, key in keys:
        wanted[kind].add(key)
    documents(sorted(wanted["file"]))
    kinds: dict[str, models.QuerySet[Any]] = {
        "customer": Customer.objects.all(),
        "regulator": Regulator.objects.all(),
        "regulation": _regulations(),
        "document": _documents().defer("content"),
        "message": CustomerMessage.objects.all(),
    }
    for kind, rows in kinds.items():
        remembered_all(kind, sorted(wanted[kind]), rows.in_bulk)


def _one(rows: models.QuerySet[Row], key: str, noun: str, hint: str | Callable[[], str]) -> Row:
    return _there(remembered((noun, key), rows.filter(pk=key).first), key, noun, hint)


def _there(found: Row | None, key: str, noun: str, hint: str | Callable[[], str]) -> Row:
    if found is None:
        raise ToolError(f"There is no {noun} {key}; {hint() if callable(hint) else hint}.")
    return found
