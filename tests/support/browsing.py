"""One person's browser, as far as forms go: no JavaScript, but real cookies and real tokens."""

from __future__ import annotations

from collections.abc import Mapping

from django.test import Client

from agentops.accounts.models import User


class Browser:
    """Forms carry the token of the newest page, unless one is given. `went_to`: the redirect."""

    def __init__(self, person: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        if person:
            self.client.force_login(person)

    def load(self, address: str) -> str:
        """Open a page; its token is sent with every form from now on."""
        return str(self.client.get(address).content.decode())

    def send(self, address: str, fields: Mapping[str, object]) -> tuple[int, str]:
        token = self.client.cookies["csrftoken"].value
        given = {"csrfmiddlewaretoken": token, **fields}
        response = self.client.post(address, given, headers={"origin": "http://testserver"})
        self.went_to = response.headers.get("Location", "")
        return response.status_code, response.content.decode()
