"""Who and what there is in a soak: people with logins, customers, and the letters they write."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils import timezone

from agentops.accounts.models import User
from tests.soak.people import PASSWORD
from tools.models import Customer, CustomerMessage

REVIEWERS = ("rita", "omar", "yuki", "nia")
OPERATOR = "olga"
FIRST_CUSTOMER, CUSTOMERS = 5001, 80
FIRST_MESSAGE, MESSAGES = 5001, 600


def make_cast() -> None:
    """Store everybody and everything; the sample data must be there."""
    approve = Q(codename__startswith="approve_")
    look = Q(codename__startswith="view_")
    for name in REVIEWERS:
        _person(name, approve | look)
    _person(OPERATOR, Q(codename="launch_execution") | look)
    Customer.objects.bulk_create(_customer(number) for number in range(CUSTOMERS))
    CustomerMessage.objects.bulk_create(_message(number) for number in range(MESSAGES))


def _person(name: str, rights: Q) -> None:
    person = User.objects.create_user(name, password=PASSWORD)
    person.user_permissions.set(Permission.objects.filter(rights))


def _customer(number: int) -> Customer:
    id = f"C-{FIRST_CUSTOMER + number}"
    return Customer(
        customer_id=id,
        name=f"Soak Trading {number} Ltd",
        registration_number=f"ST {number:06d}",
        email=f"{id.lower()}@soak.example",
        phone="+31 10 555 0000",
        address=f"Quay {number}, Rotterdam",
        country="NL",
        onboarded_on=date(2024, 5, 1),
    )


def _message(number: int) -> CustomerMessage:
    customer = f"C-{FIRST_CUSTOMER + number % CUSTOMERS}"
    return CustomerMessage(
        message_id=f"M-{FIRST_MESSAGE + number}",
        customer_id=customer,
        sender=f"{customer.lower()}@soak.example",
        subject="New telephone number",
        body=f"Hello,\n\nour telephone number has changed: +31 20 777 {number:04d}.\n\nRegards",
        received_at=timezone.now(),
    )
