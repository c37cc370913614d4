"""What you see is what runs: the page of a review determines its arguments, character by character.

The reading back is `tests/support/unrender.py`; it knows nothing but the page. The database says
whether what was read is what people approve: by the digest that the vote, the start and the guards
go by.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import Counter
from copy import copy
from typing import Any

import hypothesis
import pytest
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.core import storable
from executions.desk.proposal import proposal_of
from executions.models import AgentReview
from executions.templatetags.show import visible, visible_lines
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document
from tests.rehearsal_server import RehearsalServer
from tests.support.effort import Effort
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle
from tests.support.unrender import page_of, unrender
from tools.base import ToolInputError
from tools.registry import TOOLS

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BLOCKS = 8
CATEGORIES = sorted({unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1)})
NASTY = (
    "ab \n\t\r\x00\x1b\x7f\x85\u00a0\u00ad\u034f\u061c\u180e\u200b\u200d\u200e\u2028\u2029\u202e"
    "\u2066\u2069\u2800\u3164\ufe0f\ufeff\uffa0\ufff9\ud800\ue000\U000e0001\U000e0041\U000e0100"
    "a\u0430e\u0301<>&\"'\\{}%"
)
FAKES = ["U+200B zero width space", "25 spaces", "3 empty lines", "<span class=hid>U+0041 a</span>"]
TEXTS = st.one_of(
    st.text(st.characters(codec=None, categories=None), max_size=40),
    st.sampled_from(CATEGORIES).flatmap(
        lambda one: st.text(st.characters(codec=None, categories=[one]), min_size=1, max_size=8)
    ),
    st.text(st.sampled_from(NASTY), max_size=60),
    st.lists(st.sampled_from([*FAKES, "\u200b", " " * 25, "\n" * 6, "x"])).map("".join),
    st.tuples(st.sampled_from(NASTY), st.integers(1, 2500)).map(lambda one: one[0] * one[1]),
)
NUMBERS = st.integers(-(10**40), 10**40) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NAMED = st.dictionaries(st.sampled_from(["to", "subject", "body", "reason", "changes"]), VALUES)
MAILS = st.builds(
    lambda subject, body: {**desk.LETTER, "subject": subject, "body": body}, TEXTS, TEXTS
)
CHANGES = st.builds(
    lambda name, reason: {**desk.CHANGE, "changes": {"name": name}, "reason": reason}, TEXTS, TEXTS
)
REPORTS = st.builds(
    lambda title, text: {**document(), "title": title, "summary": text}, TEXTS, TEXTS
)
CALLS = st.one_of(
    st.tuples(st.just("send_email"), MAILS | NAMED),
    st.tuples(st.just("update_customer_record"), CHANGES | NAMED),
    st.tuples(st.just("generate_compliance_document"), REPORTS | NAMED),
    st.tuples(st.just("submit_to_regulator"), NAMED),
    st.tuples(st.just("no_tool_of_ours"), VALUES),
)


def digest_of(arguments: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agentops_digest(%s::jsonb)", [Jsonb(arguments)])
        return str(cursor.fetchone()[0])


def mail_of(page: str) -> tuple[str, str, str]:
    """The subject, and the body as text and in its frame, as the page of a mail shows them."""
    shown = page_of(page)
    found = [shown.find("data-shows", one) for one in ("subject", "body")]
    frame = shown.find("title", "The mail as its recipient sees it")
    assert all(found)
    assert frame
    text = page_of(frame.attributes["srcdoc"] or "").find_tag("pre")
    return (*(one.text() for one in found if one), text.text())  # type: ignore[return-value]


def categories_of(value: Any) -> set[str]:
    return {unicodedata.category(char) for char in json.dumps(value, ensure_ascii=False)}


@pytest.mark.blocks(BLOCKS)
def test_the_page_determines_the_arguments(client: Client, effort: Effort, block: int) -> None:
    desk.load_sample_data()
    client.force_login(factories.person("ada", is_superuser=True))
    tool_counts, categories = Counter[str](), set[str]()

    @hypothesis.seed(effort.seed + block)
    @hypothesis.settings(
        max_examples=effort.times(short=60, long=10_400 // BLOCKS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(CALLS)
    def holds(call: tuple[str, Any]) -> None:
        with transaction.atomic():
            looked_at(call[0], storable.value(call[1]))
            transaction.set_rollback(True)

    def looked_at(name: str, arguments: Any) -> None:
        review = desk.proposed(name, arguments, votes=2)
        page = client.get(desk.url(review)).content.decode()
        read = unrender(page, review.input_digest)
        assert json.dumps(read) == json.dumps(review.call.tool_input)
        assert digest_of(read) == review.input_digest
        assert f'name="seen_digest" value="{review.input_digest}"' in page
        if name == "send_email" and 'data-shows="body"' in page:
            assert mail_of(page) == (read["subject"], read["body"], read["body"])
            tool_counts["a mail in its own look"] += 1
        tool_counts[name] += 1
        categories.update(categories_of(arguments))

    holds()
    assert len(tool_counts) >= 5  # the rarest kind may be missing in the short form
    if effort.is_long:
        assert categories == set(CATEGORIES) - {"Cs"}  # no lone surrogate is storable


@pytest.mark.blocks(BLOCKS)
def test_what_draws_the_page_determines_the_arguments(
    client: Client, effort: Effort, block: int
) -> None:
    """The same without a request and a row for each, and so for many more."""
    desk.load_sample_data()
    client.force_login(factories.person("ada", is_superuser=True))
    review = desk.proposed()
    drawn_with = client.get(desk.url(review)).context[0].flatten()
    count = 0

    @hypothesis.seed(effort.seed + 1000 + block)
    @hypothesis.settings(
        max_examples=effort.times(short=60, long=10_400 // BLOCKS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(CALLS)
    def holds(call: tuple[str, Any]) -> None:
        nonlocal count
        other = copy(review)
        other.call = copy(review.call)
        other.call.tool_name, other.call.tool_input = call[0], storable.value(call[1])
        proposal = proposal_of(other)
        changed = {"review": other, "call": other.call, "proposal": proposal}
        page = render_to_string("desk/review.html", {**drawn_with, **changed})
        assert json.dumps(unrender(page, review.input_digest)) == json.dumps(other.call.tool_input)
        count += 1

    holds()
    assert count >= effort.times(short=60, long=10_400 // BLOCKS)


def test_every_character_there_is_can_be_read_back(effort: Effort) -> None:
    """As one line and as several, alone between letters and in a row."""
    step = effort.times(short=101, long=1)
    codes = [*range(0x3000), *range(0x3000, sys.maxunicode + 1, step), *range(0xE0000, 0xE0200)]
    for start in range(0, len(codes), 2000):
        text = "".join(f"a{chr(code)}" + chr(code) for code in codes[start : start + 2000])
        for shown in (visible(text), visible_lines(text)):
            assert page_of(shown).text() == text


TRICKY = [
    (
        "Your p\u0430ypal report",
        "Dear Ana,\n\n\tsee \u200d\U0001f469\u200d\U0001f680 and  two spaces",
    ),
    ("Z\u030calgo", "It is so.\n" * 60 + " " * 40 + "\u00a0and pay \uff21na \\u0000 <b>&amp;</b>"),
]


@pytest.mark.parametrize(("subject", "body"), TRICKY)
def test_what_was_read_is_what_was_approved_and_what_ran(
    llm: RehearsalServer,
    reviewers: list[User],
    client: Client,
    mailoutbox: list[EmailMessage],
    settings: Settings,
    subject: str,
    body: str,
) -> None:
    settings.AGENTOPS_UNDO_S = 0
    letter = {**desk.LETTER, "subject": subject, "body": body}
    script = {"rehearse": [calls(("send_email", letter)), text()]}
    operations.launch(agent_type=REHEARSED.name, input_data=script, user=factories.system())
    run_until_idle(base_url=llm.base_url)
    review = AgentReview.objects.get()
    client.force_login(reviewers[0])
    page = client.get(desk.url(review)).content.decode()
    read = unrender(page, review.input_digest)
    boxes = re.findall(r'name="read" value="([^"]*)"', page)
    data = {**desk.form(review, "approve"), "read": boxes}
    assert client.post(desk.url(review, "decide"), data).status_code == 302
    run_until_idle(base_url=llm.base_url)
    (sent,) = mailoutbox
    assert (sent.to, sent.subject, sent.body) == (read["to"], read["subject"], read["body"])
    call = factories.fresh(review.call)
    assert call.status == "succeeded"
    digests = {call.input_digest, review.votes.get().input_digest, review.input_digest}
    assert digests == {digest_of(read)}


@pytest.mark.parametrize("where", ["subject", "body"])
def test_a_null_character_is_refused_before_anybody_sees_it(where: str) -> None:
    with pytest.raises(ToolInputError, match="NUL"):
        TOOLS["send_email"].parse({**desk.LETTER, where: "a\x00b"})
