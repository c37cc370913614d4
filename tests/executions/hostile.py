"""A site on which everybody who can write something wrote payloads."""

from __future__ import annotations

from django.urls import reverse

from executions import operations
from executions.models import AgentReview, AgentReviewClaim
from tests import factories
from tests.browser import scene
from tests.executions import desk
from tests.executions.test_desk_review import document
from tests.support.addresses import every_address, known_by
from tests.support.payloads import PAYLOADS, TEXT
from tests.support.poison import poison, poisoned

CODE, IMAGE, COMMAND = PAYLOADS[0], PAYLOADS[28], "\r\nSet-Cookie: pwn0x=1"
# Pages of the scene that store nothing other than another one does, forwards, and what has no page.
ALIKE = {
    *("login", "edit_mail", "edit_document", "story_hostile", "review_hostile", "admin"),
    *("admin_executions", "admin_calls", "admin_users", "admin_execution", "admin_call"),
    "admin:logout",
}


def build() -> dict[str, str]:
    """Fill the tables; return what there is to look at: name -> address."""
    pages = scene.build()
    reviews = {**_proposed(), **_worked_on()}
    known = known_by(reviews["letter"])
    poison()
    pages |= {f"review {name}": desk.url(review) for name, review in reviews.items()}
    for name in ("letter", "unfit", "asked", "unknown tool"):
        pages[f"story {name}"] = reverse("execution", args=[reviews[name].execution_id])
    for name in ("letter", "change", "filing"):
        pages[f"edit {name}"] = desk.url(reviews[name], "edit")
    pages["search"] = f"{reverse('reviews')}?q=%3Cscript%3Ealert(%22pwn0x%22)%3C/script%3E"
    admin = {one.name: one.url(known) for one in every_address() if one.is_admin}
    return {name: place for name, place in (pages | admin).items() if name not in ALIKE}


def _proposed() -> dict[str, AgentReview]:
    """What an LLM proposes that is told what to write by somebody else."""
    letter = {**desk.LETTER, "subject": IMAGE, "body": TEXT}
    taken = {**letter, "body": "\n".join(one for one in PAYLOADS if one.isprintable())}
    change = {**desk.CHANGE, "changes": {"address": TEXT}, "reason": TEXT}
    report = {**document(), "title": IMAGE, "summary": TEXT}
    report["findings"] = [{**one, "finding": TEXT} for one in report["findings"]]
    return {
        "letter": desk.proposed(arguments=letter, says=TEXT),
        "letter that is taken": desk.proposed(arguments=taken),
        "unfit": desk.proposed(arguments=poisoned(desk.LETTER)),
        "change": desk.proposed("update_customer_record", change),
        "report": desk.proposed("generate_compliance_document", report),
        "filing": desk.proposed(
            "submit_to_regulator", {**desk.FILING, "subject": IMAGE}, votes=2, risk="high"
        ),
        "unknown tool": desk.proposed(CODE, poisoned({"a": ["b"]})),
        "tool with a header": desk.proposed(f"send{COMMAND}", poisoned({})),
    }


def _worked_on() -> dict[str, AgentReview]:
    """What people did, of which their words are made hostile later."""
    person = factories.person("ollie", may=["approve_*"])
    other = factories.person("otis", may=["approve_*"])
    asked, rejected, old, claimed = (desk.proposed() for _ in range(4))
    operations.ask(
        review_id=asked.pk, person=person, question="why?", seen_digest=asked.input_digest
    )
    operations.decide(
        review_id=rejected.pk,
        person=person,
        approve=False,
        reason="no",
        seen_digest=rejected.input_digest,
    )
    edited = operations.edit(
        review_id=old.pk,
        person=person,
        arguments={**desk.LETTER, "body": "b"},
        seen_digest=old.input_digest,
        reason="better",
    )
    operations.claim(review_id=claimed.pk, person=person)
    operations.take_over(review_id=claimed.pk, person=other, from_whom=person.pk, reason="mine")
    assert AgentReviewClaim.objects.exists()
    return {
        "asked": asked,
        "rejected": rejected,
        "old": old,
        "edited": edited,
        "claimed": claimed,
    }
