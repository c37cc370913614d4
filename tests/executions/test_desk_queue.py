from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.pages.waiting import waiting_for
from tests import factories
from tests.executions import desk
from tests.executions.desk import listed, order

pytestmark = pytest.mark.django_db


def test_it_lists_what_a_person_may_decide_in_words(client: Client, rita: User) -> None:
    review = desk.proposed()
    page = listed(client)
    assert "1 action waits for you" in page
    assert "Send an e-mail to ana.duarte@marlowe-shipping.example about “Your report”" in page
    assert order(page) == [str(review.pk)]


def test_a_row_names_the_customer_as_the_page_behind_it_does(client: Client, rita: User) -> None:
    desk.load_sample_data()
    review = desk.proposed("update_customer_record", desk.CHANGE, customer="C-1002")
    sentence = "Change the telephone of Ostrava Metals s.r.o."
    assert f"{sentence}</bdi></a>" in listed(client)
    page = client.get(desk.url(review)).content.decode()
    assert page.count(sentence) == 3, "title, heading, bar"


def test_it_hides_what_a_person_may_not_decide(client: Client) -> None:
    person = factories.person("mail_only", may=["approve_send_email"])
    client.force_login(person)
    mail, change = desk.proposed(), desk.proposed("update_customer_record", desk.CHANGE)
    page = listed(client)
    assert order(page) == [str(mail.pk)]
    assert str(change.pk) not in page


def test_it_tells_somebody_without_rights_that_there_are_none(client: Client) -> None:
    client.force_login(factories.person("sam"))
    desk.proposed()
    page = listed(client)
    assert "Nothing waits for you" in page
    assert "You may not decide on any tool" in page


def test_an_inactive_person_has_nothing_waiting() -> None:
    gone = factories.reviewer("gone")
    factories.User.objects.filter(pk=gone.pk).update(is_active=False)
    desk.proposed()
    assert not waiting_for(User.objects.get(pk=gone.pk)).exists()


def test_doubts_come_first_then_by_the_group_of_the_due_time(client: Client, rita: User) -> None:
    later = desk.proposed(expires_in=timedelta(days=3))
    soon = desk.proposed(expires_in=timedelta(minutes=30))
    unlimited = desk.proposed(expires_in=None)
    doubt = desk.in_doubt(factories.reviewer("omar"))
    page = listed(client)
    assert order(page) == [str(one.pk) for one in (doubt, soon, later, unlimited)]
    assert "In doubt: find out what happened" in page
    assert "Due within the hour" in page


def test_the_count_beside_the_desk_equals_the_list(client: Client, rita: User) -> None:
    mine = [desk.proposed(votes=2), desk.proposed(), desk.proposed()]
    operations.decide(
        review_id=mine[0].pk, person=rita, approve=True, seen_digest=mine[0].input_digest
    )
    page = listed(client)
    assert "2 actions wait for you" in page
    assert '>2<span class="vh"> waiting for you' in page
    assert order(page)[:2] == [str(one.pk) for one in mine[1:]]


def test_a_review_one_has_voted_on_waits_for_others_apart(client: Client, rita: User) -> None:
    review = desk.proposed(votes=2)
    operations.decide(
        review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest
    )
    page = listed(client)
    assert "Nothing waits for you" in page
    assert "You have voted, somebody else must too" in page
    assert "1 of 2 votes" in page


def test_it_marks_what_the_person_launched(client: Client, rita: User) -> None:
    desk.proposed(launched_by=rita)
    assert "you launched it" in listed(client)


def test_a_tool_narrows_the_list_and_leaves_the_counts(client: Client, rita: User) -> None:
    mail = desk.proposed()
    desk.proposed("update_customer_record", desk.CHANGE)
    page = listed(client, tool="send_email")
    assert order(page) == [str(mail.pk)]
    assert "2 actions wait for you" in page


def test_an_empty_list_says_who_decided_last(client: Client, rita: User) -> None:
    review = desk.proposed()
    omar = factories.reviewer("omar")
    operations.decide(
        review_id=review.pk, person=omar, approve=True, seen_digest=review.input_digest
    )
    page = listed(client)
    assert "Nothing waits for you" in page
    assert "by omar" in page
    assert "1 decided today: 1 approved." in page
    assert "You decided nothing today." in page


def test_decided_reviews_leave_the_list(client: Client, rita: User) -> None:
    review = desk.proposed()
    operations.decide(
        review_id=review.pk,
        person=rita,
        approve=False,
        seen_digest=review.input_digest,
        reason="no",
    )
    assert order(listed(client)) == []


def test_arguments_that_no_longer_fit_their_tool_still_make_a_line(
    client: Client, rita: User
) -> None:
    desk.proposed(arguments={"recipient": "x@example.org"})
    assert "Send email: x@example.org" in listed(client)


def test_the_length_of_the_list_does_not_change_the_number_of_queries(
    client: Client, rita: User
) -> None:
    desk.proposed()
    listed(client)
    with CaptureQueriesContext(connection) as few:
        listed(client)
    for _ in range(12):
        desk.proposed()
    with CaptureQueriesContext(connection) as many:
        listed(client)
    assert len(many) == len(few) <= 15
    assert AgentReview.objects.open().count() == 13


def test_every_gated_tool_has_a_right_of_its_own() -> None:
    codenames = Permission.objects.filter(codename__startswith="approve_")
    assert {one.codename for one in codenames} >= {
        "approve_send_email",
        "approve_update_customer_record",
        "approve_generate_compliance_document",
        "approve_submit_to_regulator",
    }


def test_who_edited_a_call_sees_that_in_the_list(client: Client, rita: User) -> None:
    desk.load_sample_data()
    review = desk.proposed()
    operations.edit(
        review_id=review.pk, person=rita, seen_digest=review.input_digest,
        arguments={**desk.LETTER, "subject": "Edited"},
    )  # fmt: skip
    assert "you edited it" in listed(client)
    client.force_login(factories.reviewer("omar"))
    assert "you edited it" not in listed(client)
