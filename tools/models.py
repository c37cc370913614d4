"""The records that tools read and change. Keys are readable text, fit to be cited."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Customer(models.Model):
    """A customer; `customer_id` like C-1001.

    `version` and `updated_at` follow every change (a trigger sees to it, whoever makes it), so that
    a proposal made over an older version is noticed. `beneficial_owners` is a list of
    {"name": str, "share_percent": number, "country": ISO 3166 alpha-2}.
    """

    class Kind(models.TextChoices):
        COMPANY = "company"
        PERSON = "person"

    class Risk(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    customer_id = models.TextField(primary_key=True)
    name = models.TextField()
    kind = models.TextField(choices=Kind.choices, default=Kind.COMPANY)
    registration_number = models.TextField(blank=True)
    email = models.TextField(blank=True)
    phone = models.TextField(blank=True)
    address = models.TextField(blank=True)
    country = models.TextField()
    industry = models.TextField(blank=True)
    risk_rating = models.TextField(choices=Risk.choices, default=Risk.LOW)
    politically_exposed = models.BooleanField(default=False)
    beneficial_owners = models.JSONField(default=list)
    onboarded_on = models.DateField()
    last_reviewed_on = models.DateField(null=True, blank=True)
    version = models.IntegerField(default=1, db_default=1)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["customer_id"]
        constraints = [
            models.CheckConstraint(
                name="customer_id_shape", condition=Q(customer_id__regex=r"^C-[0-9]{4,}$")
            ),
            models.CheckConstraint(
                name="customer_country_shape", condition=Q(country__regex=r"^[A-Z]{2}$")
            ),
            models.CheckConstraint(
                name="customer_risk_known", condition=Q(risk_rating__in=["low", "medium", "high"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.customer_id})"


class Regulator(models.Model):
    """An authority that takes filings. Only people write this table; an LLM names a row, never an
    address. `is_live` False means the authority's test desk."""

    regulator_id = models.TextField(primary_key=True)
    name = models.TextField()
    country = models.TextField()
    endpoint = models.TextField()
    is_live = models.BooleanField(default=False)
    version = models.IntegerField(default=1, db_default=1)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["regulator_id"]
        constraints = [
            models.CheckConstraint(
                name="regulator_id_shape", condition=Q(regulator_id__regex=r"^REG-[A-Z0-9-]+$")
            ),
            models.CheckConstraint(
                name="regulator_live_is_https",
                condition=Q(is_live=False) | Q(endpoint__startswith="https://"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.environment}"

    @property
    def environment(self) -> str:
        return "LIVE" if self.is_live else "TEST"


class Regulation(models.Model):
    """A regulation by its `code`, like AML-6. `requirements` is a list of
    {"id": str, "text": str, "field": what in our records speaks to it}."""

    code = models.TextField(primary_key=True)
    title = models.TextField()
    authority = models.TextField()
    regulator = models.ForeignKey(Regulator, models.PROTECT, related_name="regulations")
    requirements = models.JSONField(default=list)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code}, {self.title}"


class Document(models.Model):
    """A document that never changes: a source on file, or a compliance report that a tool made.

    `regulation` is the one a report answers to, None for a source.
    `document_id` is DOC- and 12 hex characters of a digest of what the document says; `sha256` is
    the digest of its bytes (`content`). `text` is what an LLM reads. `made_by_call` is the tool
    call that made it, None for a source.
    """

    REPORT = "compliance_report"

    document_id = models.TextField(primary_key=True)
    kind = models.TextField()
    title = models.TextField()
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="documents"
    )
    regulation = models.ForeignKey(Regulation, models.PROTECT, null=True, blank=True)
    text = models.TextField()
    content = models.BinaryField()
    content_type = models.TextField()
    sha256 = models.TextField()
    pages = models.IntegerField()
    created_at = models.DateTimeField(db_default=Now())
    made_by_call = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "document_id"]
        constraints = [
            models.CheckConstraint(
                name="document_id_shape", condition=Q(document_id__regex=r"^DOC-[0-9a-f]{12}$")
            ),
            models.CheckConstraint(
                name="document_sha256_shape", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.document_id})"

    @property
    def filename(self) -> str:
        return f"{self.document_id}.{'pdf' if self.content_type == 'application/pdf' else 'txt'}"


class CustomerMessage(models.Model):
    """What somebody wrote to us. Its text is data: it may claim or demand anything."""

    message_id = models.TextField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="messages"
    )
    sender = models.TextField()
    subject = models.TextField()
    body = models.TextField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at", "message_id"]

    def __str__(self) -> str:
        return f"{self.message_id}, {self.subject}"


def owners_in_words(owners: list[dict[str, Any]]) -> str:
    """Return "Ana Duarte, 60 % (NL); Rui Duarte, 40 % (PT)", or an empty text."""
    return "; ".join(f"{o['name']}, {o['share_percent']:g} % ({o['country']})" for o in owners)
