"""Every address of the site, read from its list of addresses, so that no test forgets a new one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from executions.models import AgentReview
from tests import factories

# `<uuid:review_id>` of a path, `(?P<url>…)` of a regular expression.
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
DOCUMENT = "DOC-0123456789ab"


@dataclass(frozen=True, order=True)
class Address:
    """`name` as `reverse` takes it, or the route when it has none. `model` is that of an admin."""

    name: str
    route: str
    model: str = ""

    @property
    def is_admin(self) -> bool:
        return self.route.startswith("admin/")

    def url(self, known: Mapping[str, object]) -> str:
        """Fill in the parameters. Says what to add when a new one has no value in `known`."""

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            name = f"{self.model} {name}" if self.model else name
            assert name in known, (
                f"The address {self.name} ({self.route}) has a parameter that no test knows: add "
                f"{name!r} to known_by() in tests/support/addresses.py."
            )
            return str(known[name])

        return "/" + re.sub(r"[\^$]", "", PARAMETER.sub(value, self.route))


def every_address() -> list[Address]:
    """Return all of `agentops.urls`, the admin's included, in the order they are tried in."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def ours() -> list[Address]:
    """Return those of our own pages."""
    return [one for one in every_address() if not one.is_admin]


def _walk(patterns: list[URLPattern | URLResolver], space: str, route: str) -> Iterator[Address]:
    for one in patterns:
        here = f"{route}{one.pattern}"
        if isinstance(one, URLResolver):
            inside = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one.url_patterns, inside, here)
            continue
        model = re.match(r"admin/(\w+/\w+)/<", here)
        yield Address(f"{space}{one.name}" if one.name else here, here, model[1] if model else "")


def known_by(review: AgentReview) -> dict[str, object]:
    """What the parameters of addresses may be, all about one review."""
    return {
        "review_id": review.pk,
        "execution_id": review.execution_id,
        "call_id": review.call_id,
        "document_id": DOCUMENT,
        "tool_name": review.tool_name,
        "paper": 0,
        "number": 1,
        "executions/agentexecution object_id": review.execution_id,
        "executions/agenttoolcall object_id": review.call_id,
        "accounts/user object_id": factories.system().pk,
        "accounts/user id": factories.system().pk,
        "auth/group object_id": Group.objects.get_or_create(name="Reviewers")[0].pk,
        "content_type_id": ContentType.objects.get_for_model(AgentReview).pk,
        "object_id": review.pk,
        "app_label": "executions",
        "url": "nowhere",
    }
