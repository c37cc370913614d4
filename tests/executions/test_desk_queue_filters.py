"""The list narrowed, counted, searched, and read page by page."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.desk import listed, order
from tests.support.effort import Effort

pytestmark = pytest.mark.django_db

TAB = re.compile(r'<a href="/reviews/\??([^"]*)"[^>]*>([^<]+) <span class="count">(\d+)</span>')
GROUP = re.compile(r'<h2>([^<]+) <span class="count">(\d+)</span></h2>')
VALUES: dict[str, list[str]] = {
    "tool": ["send_email", "update_customer_record"],
    "agent": ["steward", "writer"],
    "risk": ["low", "medium", "high"],
    "customer": ["C-1001", "C-1002"],
    "who": ["mine", "unclaimed"],
    "votes": ["second"],
    "kind": ["doubt"],
    "due": ["overdue"],
    "q": ["Marlowe", "phone", "halden", "C-1003"],
}


@pytest.fixture
def rita(client: Client) -> User:
    person = factories.reviewer("rita")
    client.force_login(person)
    desk.load_sample_data()
    return person


@pytest.fixture
def omar() -> User:
    return factories.reviewer("omar")


def some(rng: random.Random, rita: User, omar: User) -> tuple[AgentReview, dict[str, Any]]:
    """A review as chance has it, and what is true of it by the name of each filter."""
    tool = rng.choice(VALUES["tool"])
    about = {"tool": tool, "agent": rng.choice(VALUES["agent"]), "risk": rng.choice(VALUES["risk"])}
    about["customer"] = rng.choice(["C-1001", "C-1002", None])
    arguments = desk.CHANGE
    if tool == "send_email":
        arguments = {
            **desk.LETTER,
            "to": [rng.choice(["finance@halden-trade.example", "a@b.example"])],
        }
    span = rng.choice([None, -600, 600, 7200, 400_000])
    votes = rng.choice([1, 2])
    review = desk.proposed(
        tool, arguments, agent=about["agent"], risk=about["risk"], customer=about["customer"],
        expires_in=None if span is None else timedelta(seconds=span), votes=votes,
    )  # fmt: skip
    if span is None and rng.random() < 0.5:
        review = doubted(review, about["customer"])
        votes = 1
    about["kind"] = review.kind
    about["due"] = "overdue" if span and span < 0 and review.kind == "approval" else ""
    about["votes"] = ""
    if votes == 2 and not about["due"] and rng.random() < 0.5:
        factories.vote(review, omar)
        about["votes"] = "second"
    holder = rng.choice([None, rita, omar])
    ran_out = rng.random() < 0.2
    if holder:
        until = Now() + timedelta(minutes=-1 if ran_out else 10)
        factories.change(review, claimed_by=holder, claimed_until=until)
    about["who"] = "unclaimed" if holder is None or ran_out else "mine" if holder == rita else ""
    about["text"] = f"{arguments} {about['customer'] == 'C-1001' and 'Marlowe Shipping B.V.'}"
    return review, about


def doubted(review: AgentReview, customer: str | None) -> AgentReview:
    """The same call, started and in doubt."""
    one = review.execution
    call = factories.approve(review, *[factories.person(f"p{review.pk}{n}", may=[]) for n in "12"])
    factories.change(one, status="pending")
    factories.change(one, status="running", lease_owner=review.pk, lease_token=one.lease_token + 1)
    doubt = factories.doubt(factories.start(call))
    factories.change(one, status="awaiting_review", lease_owner=None)
    factories.change(doubt, customer_id=customer)
    return doubt


def fits(about: dict[str, Any], query: dict[str, str]) -> bool:
    words = query.get("q", "").lower()
    if words and words not in f"{about['text']} {about['customer']}".lower():
        return False
    return all(about[name] == value for name, value in query.items() if name != "q")


def test_every_number_is_the_count_of_the_list_behind_it(
    client: Client, rita: User, omar: User, effort: Effort
) -> None:
    """I14, over random reviews and filters: headline, badge, tabs, groups, and the list itself."""
    rng = effort.rng("counts")
    truth = {}
    for _ in range(effort.times(short=24, long=60)):
        review, about = some(rng, rita, omar)
        truth[str(review.pk)] = about | {"risk": review.risk}
    total = len(truth)
    for _ in range(effort.times(short=10, long=300)):
        names = rng.sample(list(VALUES), rng.randint(0, 3))
        query = {name: rng.choice(VALUES[name]) for name in names}
        page = listed(client, **query)
        assert set(order(page)) == {one for one, about in truth.items() if fits(about, query)}, (
            query
        )
        assert f"{total} actions wait for you" in page
        assert f'>{total}<span class="vh"> waiting for you' in page
        assert sum(int(count) for _, count in GROUP.findall(page)) == len(order(page))
        tabs = TAB.findall(page)
        assert [label for _, label, _ in tabs][:2] == ["All", "Mine"]
        for link, label, count in tabs:
            behind = dict(parse_qsl(unescape(link)))
            expected = {one for one, about in truth.items() if fits(about, behind)}
            assert int(count) == len(expected), (query, label)


def test_following_a_tab_leads_to_what_it_counts(client: Client, rita: User, omar: User) -> None:
    reviews = [desk.proposed(risk=risk) for risk in ("low", "high", "high")]
    operations.claim(review_id=reviews[1].pk, person=rita)
    page = listed(client, risk="high")
    found = {label: (unescape(link), int(count)) for link, label, count in TAB.findall(page)}
    for link, count in found.values():
        response = client.get(f"{reverse('reviews')}?{link}")
        assert len(order(response.content.decode())) == count
    assert found["Mine"] == ("risk=high&who=mine", 1)
    assert found["All"] == ("risk=high", 2)


@pytest.mark.parametrize(
    "words",
    ["ana.duarte@marlowe", "YOUR REPORT", "Marlowe Shipping", "C-1001", 'see "https://portal'],
)
def test_the_search_finds_recipients_words_and_customers(
    client: Client, rita: User, words: str
) -> None:
    letter = {**desk.LETTER, "body": 'Please see "https://portal.example/a%b_c".'}
    found = desk.proposed(arguments=letter, customer="C-1001")
    desk.proposed("update_customer_record", desk.CHANGE, customer="C-1002")
    assert order(listed(client, q=words)) == [str(found.pk)]


def test_the_search_takes_signs_as_they_are(client: Client, rita: User) -> None:
    letter = {**desk.LETTER, "body": "100 % of a_b \\ c"}
    found = desk.proposed(arguments=letter)
    desk.proposed(arguments={**desk.LETTER, "body": "100 of axb c"})
    for words in ("0 % of", "a_b", "\\ c"):
        assert order(listed(client, q=words)) == [str(found.pk)]


def test_the_search_finds_review_execution_and_call_by_id_or_its_beginning(
    client: Client, rita: User
) -> None:
    review, _ = desk.proposed(), desk.proposed()
    for key in (review.pk, review.execution_id, review.call_id):
        assert order(listed(client, q=str(key))) == [str(review.pk)]
        assert str(review.pk) in order(listed(client, q=str(key)[:8].upper()))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"tool": "no_such"}, "“no_such” is no value for “tool”; there is"),
        ({"risk": "<b>"}, "“&lt;b&gt;” is no value for “risk”; there is low or medium or high"),
        ({"who": "everybody"}, "there is mine or unclaimed"),
        ({"q": "x" * 300}, "longer than 200 characters"),
        ({"customer": "\x00"}, "or no text"),
        ({"after": "nowhere"}, "Where to go on from is not known"),
        ({"after": "6a1f4e5e-0000-4000-8000-000000000000"}, "Where to go on from is not known"),
    ],
)
def test_a_wrong_value_is_told_in_words_and_left_out(
    client: Client, rita: User, query: dict[str, str], told: str
) -> None:
    review = desk.proposed()
    page = listed(client, **query)
    assert told in page
    assert order(page) == [str(review.pk)]


def test_what_narrows_the_list_stands_there_and_can_be_taken_away(
    client: Client, rita: User
) -> None:
    desk.proposed(risk="high", customer="C-1001")
    query = {"q": "<i>report", "risk": "high", "customer": "C-1001", "who": "unclaimed"}
    page = listed(client, **query)
    chips = re.findall(r'<a class="chip" href="/reviews/\?([^"]*)">(.*?)<svg', page)
    assert [re.sub("<[^>]*>", "", told) for _, told in chips] == [
        "“&lt;i&gt;report”", "high risk", "Marlowe Shipping B.V.", "nobody is on it",
    ]  # fmt: skip
    for (link, _), name in zip(chips, query, strict=True):
        left = {key: value for key, value in query.items() if key != name}
        assert unescape(link) == urlencode(left)
    assert '<input type="hidden" name="who" value="unclaimed">' in page


def test_a_filter_that_hides_everything_says_so_and_how_many_wait(
    client: Client, rita: User
) -> None:
    for _ in range(2):
        desk.proposed()
    page = listed(client, q="nothing like it")
    assert "None of the 2 that wait fits this filter" in page
    assert "Show all 2" in page
    assert "last decision" not in page


def test_a_list_longer_than_a_page_goes_on_behind_its_last_row(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.desk.queue.SHOWN", 3)
    due = [timedelta(days=1 + number // 3) for number in range(8)]
    every = [str(desk.proposed(expires_in=span, risk="low").pk) for span in due]
    seen, link, told = [], "risk=low", []
    while link:
        page = client.get(f"{reverse('reviews')}?{link}").content.decode()
        seen += order(page)
        told += re.findall(r"(\d+ to \d+ of \d+)", page)
        following = re.search(r'rel="next" href="/reviews/\?([^"]*)"', page)
        link = unescape(following.group(1)) if following else ""
    assert seen == every
    assert told == ["1 to 3 of 8", "4 to 6 of 8", "7 to 8 of 8"]
    assert (
        "Next 2" in client.get(f"{reverse('reviews')}?risk=low&after={every[2]}").content.decode()
    )


def test_a_hundred_rows_take_few_queries(
    client: Client, rita: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ids = list(factories.waiting(reviews=101).reviews.values_list("pk", flat=True))
    for number in range(11):
        customer = f"C-10{number + 1:02d}"
        AgentReview.objects.filter(pk__in=ids[number::11]).update(customer_id=customer)
    client.get(reverse("reviews"))
    with django_assert_max_num_queries(15):
        page = listed(client)
    assert len(order(page)) == 100
    with django_assert_max_num_queries(15):
        last = listed(client, q="Letter", after=order(page)[-1], customer="C-1001")
    assert set(order(last)).isdisjoint(order(page))
