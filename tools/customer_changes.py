"""What may be changed of a customer's record, and how grave each field is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tools.base import Risk
from tools.schemas import Arguments
from tools.text import Country, EmailAddress, Line, Phone

LABELS = {
    "name": "Name",
    "email": "E-mail address",
    "phone": "Telephone",
    "address": "Address",
    "country": "Country",
    "industry": "Business",
    "risk_rating": "Risk rating",
    "politically_exposed": "Politically exposed",
    "beneficial_owners": "Beneficial owners",
    "last_reviewed_on": "Last reviewed",
}
# Where a wrong value does the most harm: who owns it, how closely we watch it, where our mail goes.
SENSITIVE = {"name", "email", "risk_rating", "politically_exposed", "beneficial_owners"}


# What decides how closely we watch a customer, and what nobody but the customer is harmed by.
WATCHED = {"risk_rating", "politically_exposed", "beneficial_owners"}
HARMLESS = {"phone", "address", "industry"}


class Owner(Arguments):
    name: Line
    share_percent: Annotated[float, Field(gt=0, le=100)]
    country: Country


class Changes(Arguments):
    """New values; whatever is left out, or null, stays as it is."""

    name: Line | None = None
    email: EmailAddress | None = None
    phone: Phone | None = None
    address: Line | None = None
    country: Country | None = None
    industry: Line | None = None
    risk_rating: Literal["low", "medium", "high"] | None = None
    politically_exposed: bool | None = None
    beneficial_owners: list[Owner] | None = None
    last_reviewed_on: date | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Changes:
        if not self.values():
            raise ValueError("name at least one field to change")
        owners = self.beneficial_owners or []
        if sum(owner.share_percent for owner in owners) > 100:
            raise ValueError("the owners' shares add up to more than 100 %")
        return self

    def values(self) -> dict[str, Any]:
        """Return the fields to change with their new values, as the model stores them."""
        given = {name: getattr(self, name) for name in LABELS}
        if self.beneficial_owners is not None:
            given["beneficial_owners"] = [owner.model_dump() for owner in self.beneficial_owners]
        return {name: value for name, value in given.items() if value is not None}

    def risk(self) -> Risk:
        """Return the risk of the gravest field."""
        fields = self.values().keys()
        if fields & WATCHED:
            return "high"
        return "low" if fields <= HARMLESS else "medium"
