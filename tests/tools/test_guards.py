"""What the database itself sees to."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction

from tools.models import Customer, Document, Regulator

pytestmark = pytest.mark.usefixtures("records")


def _sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def _version(customer_id: str) -> int:
    return Customer.objects.get(pk=customer_id).version


def test_every_change_of_a_customer_raises_its_version_whoever_makes_it() -> None:
    Customer.objects.filter(pk="C-1001").update(phone="+31 10 555 0143")
    assert _version("C-1001") == 2
    _sql("UPDATE tools_customer SET risk_rating = 'high' WHERE customer_id = 'C-1001'")
    assert _version("C-1001") == 3
    customer = Customer.objects.get(pk="C-1001")
    customer.name = "Marlowe Shipping N.V."
    customer.save()
    assert _version("C-1001") == 4


def test_a_version_cannot_be_set_back() -> None:
    Customer.objects.filter(pk="C-1001").update(phone="1234")
    _sql("UPDATE tools_customer SET version = 1, phone = '12345' WHERE customer_id = 'C-1001'")
    assert _version("C-1001") == 3


def test_an_update_that_changes_nothing_leaves_the_version() -> None:
    _sql("UPDATE tools_customer SET phone = phone WHERE customer_id = 'C-1001'")
    assert _version("C-1001") == 1


def test_turning_a_test_regulator_live_raises_its_version() -> None:
    Regulator.objects.filter(pk="REG-NFSA").update(
        endpoint="https://filings.example.org/", is_live=True
    )
    assert Regulator.objects.get(pk="REG-NFSA").version == 2


def test_a_live_regulator_has_an_https_address() -> None:
    with pytest.raises(IntegrityError, match="regulator_live_is_https"):
        _sql("UPDATE tools_regulator SET is_live = true WHERE regulator_id = 'REG-NFSA'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tools_document SET title = 'another'",
        "UPDATE tools_document SET content = 'another'::bytea, sha256 = repeat('0', 64)",
        "DELETE FROM tools_document",
    ],
)
def test_a_document_never_changes_and_never_goes(statement: str) -> None:
    with pytest.raises(Error, match="never changes and is never deleted"):
        _sql(statement)
    assert Document.objects.count() == 11


@pytest.mark.parametrize("customer_id", ["1001", "C-1", "c-1001", "C-1001\n", "X-1001"])
def test_a_customers_id_has_its_shape(customer_id: str) -> None:
    with pytest.raises(IntegrityError, match="customer_id_shape"), transaction.atomic():
        Customer.objects.create(
            customer_id=customer_id, name="x", country="NL", onboarded_on=date(2026, 1, 1)
        )
