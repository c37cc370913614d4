"""Where on a review's page what was not taken stands again: in which sheet, and at which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import Form

from executions.desk.confirming import NotConfirmed
from executions.desk.presence import OnIt
from executions.desk.proposal import Proposal
from executions.desk.reading import Unread
from executions.desk.standing import Standing
from executions.operations.refusals import Busy, Claimed, ReasonMissing, Refusal
from executions.pages.frame import PersonRequest
from executions.pages.kept import FORM, Words

FIELD_OF: dict[type[Refusal], str] = {
    NotConfirmed: "typed",
    Unread: "read",
    ReasonMissing: "reason",
    Claimed: "reason",
    Busy: "",
}
SHEET_OF = {
    "review-ask": "ask",
    "review-cancel": "cancel",
    "review-settle": "settle",
    "review-take-over": "takeover",
}
DECISIONS = {"approve": "confirm", "reject": "reject"}


class Incomplete(Refusal):
    """A form was not filled in; `field` is the first that is not as it should be."""

    def __init__(self, form: Form) -> None:
        super().__init__(" ".join(str(one) for every in form.errors.values() for one in every))
        self.field = next(iter(form.errors))


@dataclass(frozen=True, kw_only=True)
class Again:
    """`sheet`: the id of what the person was in; `field`: the name of what they go on at there,
    empty when sending it once more may do; `told`: what is wrong with it, empty for nothing."""

    sheet: str
    field: str
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a person sent and was not taken: its `fields`, and the `sheet` they stood in, empty for
    none. `again`: where to go on, None where the same would be refused again."""

    sheet: str
    fields: Mapping[str, str]
    again: Again | None = None

    @property
    def words(self) -> str:
        words = self.fields.get("reason", "") or self.fields.get("question", "")
        return words.replace("\r\n", "\n")  # as browsers send the end of a line


def sent_by(request: PersonRequest, error: Refusal) -> Sent:
    """Return what was refused with this error."""
    match = request.resolver_match
    sheet = _sheet((match and match.url_name) or "", request.POST)
    field = error.field if isinstance(error, Incomplete) else FIELD_OF.get(type(error))
    is_led_back = sheet and field is not None
    again = Again(sheet=sheet, field=field or "", told=str(error)) if is_led_back else None
    return Sent(sheet=sheet, fields=request.POST.dict(), again=again)


def kept_from(words: Words, proposal: Proposal) -> Sent | None:
    """Return what was typed before a login, if anything was. What was read before it has to be
    read again: somebody else may have logged in."""
    if not words:
        return None
    sheet = _sheet(words.get(FORM, "review-decide"), words)
    field = "question" if sheet == "ask" else "reason"
    if sheet == "confirm" and proposal.must_read:
        field = "read"
    elif sheet == "confirm" and "typed" in words and not words.get("reason"):
        field = "typed"
    return Sent(sheet=sheet, fields=words, again=Again(sheet=sheet, field=field))


def opened(sent: Sent | None, standing: Standing, held: OnIt | None) -> dict[str, Any]:
    """Return for the templates what stands in which sheet again, as far as the page still has it
    for somebody who may do so much: `sent` by sheet, `typed` words, where to go on `again`."""
    if sent is None:
        return {}
    is_there = _is_there(sent.sheet, standing, held)
    return {
        "sent": {sent.sheet: sent.fields} if is_there else {},
        "typed": sent.words,
        "again": sent.again if is_there else None,
    }


def _sheet(name: str, fields: Mapping[str, str]) -> str:
    """Return the sheet of the form that is sent to the address of that name; empty for none."""
    if name == "review-decide":
        return DECISIONS.get(fields.get("decision", ""), "")
    return SHEET_OF.get(name, "")


def _is_there(sheet: str, standing: Standing, held: OnIt | None) -> bool:
    needed = {
        "": False,
        "confirm": standing.may_approve,
        "cancel": standing.may_cancel,
        "takeover": standing.may_reject and held is not None and not held.is_me,
    }
    return needed.get(sheet, standing.may_reject)
