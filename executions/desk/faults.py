"""Where on a review's page what was refused stands open again, and at which field it is mended."""

from __future__ import annotations

from dataclasses import dataclass

from django.forms import Form

from executions.desk.confirming import NotConfirmed
from executions.desk.reading import Unread
from executions.desk.standing import Standing
from executions.operations.refusals import Busy, ReasonMissing, Refusal
from executions.pages.frame import PersonRequest

FIELD_OF: dict[type[Refusal], str] = {
    NotConfirmed: "typed",
    Unread: "read",
    ReasonMissing: "reason",
    Busy: "",
}
SHEET_OF = {"review-ask": "ask", "review-cancel": "cancel", "review-settle": "settle"}
DECISIONS = {"approve": "confirm", "reject": "reject"}


class Incomplete(Refusal):
    """A form was not filled in; `field` is the first that is not as it should be."""

    def __init__(self, form: Form) -> None:
        super().__init__(" ".join(str(one) for every in form.errors.values() for one in every))
        self.field = next(iter(form.errors))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`sheet`: the id of what the person was in; `field`: the name of what is to be mended there,
    empty when sending it once more may do; `told`: what is wrong."""

    sheet: str
    field: str
    told: str

    def is_there(self, standing: Standing) -> bool:
        """Test if the page still has that sheet, for somebody who may do so much."""
        needed = {"confirm": standing.may_approve, "cancel": standing.may_cancel}
        return needed.get(self.sheet, standing.may_reject)


def fault_of(request: PersonRequest, error: Refusal) -> Fault | None:
    """Return where to go on after a refusal; None where the same form would be refused again."""
    match = request.resolver_match
    name = (match and match.url_name) or ""
    sheet = SHEET_OF.get(name) or DECISIONS.get(request.POST.get("decision", ""))
    field = error.field if isinstance(error, Incomplete) else FIELD_OF.get(type(error))
    if sheet is None or field is None or name == "review-withdraw":
        return None
    return Fault(sheet=sheet, field=field, told=str(error))
