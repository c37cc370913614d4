"""A desk with something of everything on it, for looking at the pages."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from agentops.accounts.models import User
from executions import operations
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document
from tests.executions.test_metrics_function import called, ended

HOSTILE = "<script>alert('no')</script><img src=https://elsewhere.example/x onerror=alert(1)>\u202e"


def administrator() -> User:
    return factories.person(
        "ada", first_name="Ada", last_name="Lovelace", is_superuser=True, is_staff=True
    )


def build() -> dict[str, str]:
    """Fill the tables; return the addresses of the pages by name."""
    desk.load_sample_data()
    desk.report()
    rita, omar = factories.reviewer("rita"), factories.reviewer("omar")
    mail = desk.proposed(expires_in=timedelta(minutes=40))
    filing = desk.proposed("submit_to_regulator", desk.FILING, votes=2)
    factories.vote(filing, rita)
    reviews = {
        "mail": mail,
        "record": desk.proposed("update_customer_record", desk.CHANGE, read=[desk.MESSAGE]),
        "filing": filing,
        "document": desk.proposed("generate_compliance_document", document()),
        "doubt": desk.in_doubt(omar),
        "hostile": desk.proposed(arguments={**desk.LETTER, "body": HOSTILE}, says=HOSTILE),
        "unreadable": desk.proposed(arguments={"to": HOSTILE, "more": [{"a": [1, None, True]}]}),
    }
    operator = factories.person("olga", may=["change_agentcontrol"])
    operations.pause(
        scope="agent", key="customer_record_steward", person=operator, reason=f"Why? {HOSTILE}"
    )
    for number in (1, 2):
        desk.proposed(arguments={**desk.LETTER, "subject": f"Reminder {number}"}, risk="low")
    undoable = desk.proposed()
    factories.change(undoable, effective_at=Now() + timedelta(minutes=5))
    factories.approve(undoable, factories.person("otto", may=["approve_*"]))
    _history()
    return {
        "login": reverse("login"),
        "reviews": reverse("reviews"),
        **{f"review_{name}": desk.url(review) for name, review in reviews.items()},
        "review_undoable": desk.url(undoable),
        "edit_mail": desk.url(mail, "edit"),
        "edit_document": desk.url(reviews["document"], "edit"),
        "edit_record": desk.url(reviews["record"], "edit"),
        "story": reverse("execution", args=[mail.execution_id]),
        "story_hostile": reverse("execution", args=[reviews["hostile"].execution_id]),
        "metrics": reverse("metrics"),
        "you": reverse("you"),
        "together": reverse("reviews-together", args=["send_email"]),
        "switches": reverse("switches"),
        "launch": reverse("launch"),
        "launch_form": f"{reverse('launch')}?agent=customer_record_steward",
        "admin": reverse("admin:index"),
        "admin_executions": reverse("admin:executions_agentexecution_changelist"),
        "admin_execution": reverse(
            "admin:executions_agentexecution_change", args=[mail.execution_id]
        ),
        "admin_calls": reverse("admin:executions_agenttoolcall_changelist"),
        "admin_users": reverse("admin:accounts_user_changelist"),
        "admin_call": reverse("admin:executions_agenttoolcall_change", args=[mail.call_id]),
    }


def _history() -> None:
    """Some executions that ended, for the metrics page."""
    now = timezone.now()
    agents = ("compliance_document_generator", "customer_record_steward")
    for number in range(24):
        status = "failed" if number % 8 == 7 else "completed"
        one = ended(
            status,
            agent=agents[number % 2],
            at=now - timedelta(days=number / 3),
            steps=2 + number % 5,
            token_count=4000 + 311 * number,
            cost_usd="0.0213",
            active_ms=4000 + 100 * number,
        )
        called(one, "succeeded")
        if number % 3 == 0:
            called(one, "failed")
