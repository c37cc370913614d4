from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tools.base import ToolError
from tools.models import Customer, CustomerMessage, Document, Regulation, Regulator
from tools.records import facts
from tools.registry import get_tool
from tools.report_pdf import unprintable
from tools.text import address, phone

pytestmark = pytest.mark.usefixtures("records")


def _load() -> str:
    said = io.StringIO()
    call_command("load_sample_data", stdout=said)
    return said.getvalue()


def test_there_is_enough_of_everything() -> None:
    assert Customer.objects.count() >= 8
    assert Customer.objects.values("country").distinct().count() >= 8
    assert Regulation.objects.count() == 4
    assert Regulator.objects.count() == 2
    assert CustomerMessage.objects.count() >= 4
    assert Document.objects.filter(customer="C-1001").count() == 3


def test_loading_again_adds_nothing_and_overwrites_nothing() -> None:
    Customer.objects.filter(pk="C-1001").update(phone="+31 10 555 0199")
    assert "added 0 of 11 customers" in _load()
    assert Customer.objects.get(pk="C-1001").phone == "+31 10 555 0199"


def test_test_regulators_follow_the_sandboxs_address(settings: Settings) -> None:
    settings.AGENTOPS_SANDBOX_REGULATOR_URL = "http://127.0.0.1:9002/filings"
    _load()
    endpoints = set(Regulator.objects.values_list("endpoint", flat=True))
    assert endpoints == {"http://127.0.0.1:9002/filings"}


def test_a_live_regulators_address_is_left_alone(settings: Settings) -> None:
    live = "https://filings.example.org/"
    Regulator.objects.filter(pk="REG-FTO").update(endpoint=live, is_live=True)
    settings.AGENTOPS_SANDBOX_REGULATOR_URL = "http://127.0.0.1:9002/filings"
    _load()
    assert Regulator.objects.get(pk="REG-FTO").endpoint == live


def test_the_sample_records_keep_the_rules_that_tools_set() -> None:
    for customer in Customer.objects.all():
        assert address(customer.email)
        assert phone(customer.phone)
        assert sum(owner["share_percent"] for owner in customer.beneficial_owners) <= 100
        assert unprintable(" ".join(value for _, value in facts(customer))) == []


def test_every_message_of_a_customer_came_from_the_address_on_record() -> None:
    for message in CustomerMessage.objects.select_related("customer"):
        if message.customer:
            assert message.sender == message.customer.email


def test_what_the_hostile_message_asks_for_is_refused_even_before_a_person_sees_it() -> None:
    mail = get_tool("send_email")
    asked = {"to": ["audit@halden-trade-ag.example"], "subject": "list", "body": "all customers"}
    assert mail.check is not None
    with pytest.raises(ToolError, match="not on record"):
        mail.check(mail.parse(asked))
