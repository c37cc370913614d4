"""Reviewers are told by mail; a mail server that is away, slow or picky holds no decision up."""

from __future__ import annotations

import re
import threading

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentNotification
from executions.notifications.outbox import deliver
from tests import factories
from tests.executions import desk
from tests.faults.outbox import SITE, later, of
from tests.faults.reviewing import letter_before_people
from tests.faults.test_review_looking import contents
from tests.rehearsal_server import RehearsalServer
from tests.tools.mail_server import Mailbox


def receivers(mailbox: Mailbox) -> list[str]:
    return sorted(to for recipients, _ in mailbox.arrived for to in recipients)


@pytest.mark.django_db
def test_high_risk_is_told_at_once_to_those_who_may_and_with_a_link_only(
    team: dict[str, User], mailoutbox: list[EmailMessage]
) -> None:
    """O3: who may approve is told, the launcher and all others are not; no arguments in it."""
    launched = factories.person("olga", may=["approve_*"], email="olga@hallberg.example")
    review = desk.proposed(launched_by=launched, risk="high")
    assert deliver() == {"due": 1, "sent": 2, "failed": 0}
    assert [letter.to for letter in mailoutbox] == [
        ["omar@hallberg.example"], ["rita@hallberg.example"],
    ]  # fmt: skip
    letter = mailoutbox[0]
    assert letter.subject == "High risk: send email waits for you"
    assert f"{SITE}{desk.url(review)}\n" in letter.body
    for secret in ("ana.duarte", "Marlowe", "Your report", "it is filed", desk.SAYS):
        assert secret not in letter.subject + letter.body
    assert of(review).closed_at
    later()
    assert deliver() == {"due": 0, "sent": 0, "failed": 0}


@pytest.mark.django_db
def test_an_address_that_is_none_keeps_nobody_else_from_being_told(
    team: dict[str, User], mailbox: Mailbox
) -> None:
    """O3: it came from a directory, or by SQL; its owner is the only one who hears nothing."""
    team["omar"].email = "omar@hallberg.example\n"
    team["omar"].save()
    review = desk.proposed(risk="high")
    assert deliver() == {"due": 1, "sent": 1, "failed": 1}
    assert receivers(mailbox) == ["rita@hallberg.example"]
    assert "BadHeaderError" in (of(review).error or "")
    assert of(review).closed_at is None


@pytest.mark.django_db
def test_the_rest_comes_together_after_a_while(
    team: dict[str, User], mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    """O3: one digest a person, with everything that waits by then."""
    desk.proposed()
    assert deliver()["due"] == 0
    later(31)
    desk.proposed()
    desk.proposed("update_customer_record", desk.CHANGE)
    assert deliver() == {"due": 3, "sent": 2, "failed": 0}
    assert {letter.subject for letter in mailoutbox} == {"3 actions wait for you"}
    assert "  2 x send email\n  1 x update customer record\n" in mailoutbox[0].body
    assert f"{SITE}/reviews/\n" in mailoutbox[0].body
    later()
    assert deliver()["due"] == 0


@pytest.mark.django_db
def test_a_doubt_is_told_at_once(team: dict[str, User], mailoutbox: list[EmailMessage]) -> None:
    """O3: somebody has to find out."""
    desk.in_doubt(team["omar"])
    deliver()
    assert {letter.subject for letter in mailoutbox} == {"In doubt: did it happen? (send email)"}


@pytest.mark.django_db
def test_what_is_decided_by_then_is_not_told(
    team: dict[str, User], mailoutbox: list[EmailMessage]
) -> None:
    """O3: nobody is sent to a review that is closed, nor asked for a second vote."""
    decided, half = desk.proposed(risk="high"), desk.proposed(risk="high", votes=2)
    for review in (decided, half):
        operations.decide(
            review_id=review.pk, person=team["rita"], approve=True,
            seen_digest=review.input_digest,
        )  # fmt: skip
    deliver()
    assert [letter.to for letter in mailoutbox] == [["omar@hallberg.example"]]
    assert of(decided).closed_at
    assert of(decided).told == []


def test_the_row_is_committed_with_the_review_it_tells_of(llm: RehearsalServer) -> None:
    """O3: the journal's own commit writes it; nobody has to remember."""
    review = letter_before_people(llm)
    note = of(review)
    assert (note.is_urgent, note.attempts, note.closed_at) == (False, 0, None)
    assert note.created_at == review.created_at


@pytest.mark.django_db
def test_while_the_mail_server_is_away_people_decide_and_the_mail_waits(
    team: dict[str, User], mailbox: Mailbox, settings: Settings
) -> None:
    """O3: refused connections: decisions go on, tries back off, all are told once."""
    first, second = desk.proposed(risk="high"), desk.proposed(risk="high")
    settings.EMAIL_PORT = 1  # nobody listens there
    waits = []
    for number in range(1, 5):
        assert deliver() == {"due": 2, "sent": 0, "failed": 2}
        note = of(second)
        assert "ConnectionRefusedError" in (note.error or "")
        assert note.attempts == number
        waits.append((note.due_at - timezone.now()).total_seconds())
        assert deliver()["due"] == 0
        AgentNotification.objects.update(due_at=Now())
    assert [round(one / 60) for one in waits] == [1, 2, 4, 8]
    operations.decide(
        review_id=first.pk, person=team["rita"], approve=True, seen_digest=first.input_digest
    )
    settings.EMAIL_PORT = mailbox.port
    assert deliver() == {"due": 1, "sent": 2, "failed": 0}
    assert receivers(mailbox) == ["omar@hallberg.example", "rita@hallberg.example"]
    assert of(second).closed_at
    assert of(second).error is None


@pytest.mark.django_db
def test_one_address_that_is_refused_costs_nobody_else_anything(
    team: dict[str, User], mailbox: Mailbox
) -> None:
    """O3: the others are told once, however often the refused one is tried again."""
    mailbox.refuse["omar@hallberg.example"] = "550 no such box"
    review = desk.proposed(risk="high")
    assert deliver() == {"due": 1, "sent": 1, "failed": 1}
    assert "no such box" in (of(review).error or "")
    assert of(review).closed_at is None
    later()
    assert deliver() == {"due": 1, "sent": 0, "failed": 1}
    mailbox.refuse.clear()
    later()
    assert deliver() == {"due": 1, "sent": 1, "failed": 0}
    assert receivers(mailbox) == ["omar@hallberg.example", "rita@hallberg.example"]


@pytest.mark.django_db
def test_a_server_that_breaks_off_after_taking_it_gets_the_same_letter_again(
    team: dict[str, User], mailbox: Mailbox
) -> None:
    """O3: at least once, and the Message-ID lets a mailbox drop the second copy."""
    User.objects.filter(username="omar").update(email="")
    desk.proposed(risk="high")
    mailbox.on_data = "drop"
    assert deliver()["failed"] == 1
    mailbox.on_data = ""
    later()
    assert deliver()["sent"] == 1
    keys = [message["Message-ID"] for _, message in mailbox.arrived]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_two_housekeepers_at_once_tell_everybody_once(
    committed_db: None, team: dict[str, User], mailbox: Mailbox
) -> None:
    """O3: what one has in hand the other passes over."""
    reviews = [desk.proposed(risk="high") for _ in range(20)]
    reports: list[dict[str, int]] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait(10)
        reports.append(deliver())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(30)
    assert sum(report["due"] for report in reports) == 20
    assert sum(report["sent"] for report in reports) == 40
    keys = [message["Message-ID"] for _, message in mailbox.arrived]
    assert len(keys) == len(set(keys)) == 40
    assert all(of(review).closed_at for review in reviews)


@pytest.mark.django_db
def test_a_scanner_that_opens_the_links_changes_nothing(
    team: dict[str, User], mailoutbox: list[EmailMessage]
) -> None:
    """R15: the notification's own links, by whoever reads the mail, logged in or not."""
    desk.proposed(risk="high")
    deliver()
    links = re.findall(rf"{SITE}(\S+)", mailoutbox[0].body)
    assert links
    for person in (None, team["rita"], team["nora"]):
        client = Client()
        if person:
            client.force_login(person)
        before = contents()
        for link in links:
            for method in (client.get, client.head, client.options):
                assert method(link).status_code < 500
        assert contents() == before
