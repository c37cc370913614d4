"""A full desk: any number of open reviews of every kind, written past every guard.

Everything in it passes every check of the invariants; a test says so on a small one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import psycopg
from django.contrib.auth.models import Permission
from django.db.models import Q

from agentops.accounts.models import User
from executions.agents import all_agents
from executions.core import limits as limit_rules
from executions.engine.definitions import define
from executions.models import AgentDefinition
from tools.generate_compliance_document import draft
from tools.models import Document, Regulation, Regulator
from tools.registry import TOOLS

SQL = Path(__file__).with_suffix(".sql")
CUSTOMERS = 250
"""C-200001 to C-200250; the letters of the long history went to them, too."""

LONG = 200
"""So many steps has the one long execution, whose story is opened."""

LIMITS = limit_rules.Limits(max_steps=2 * LONG, max_tokens=1_000_000)
REGULATION, SUBJECT = "AML-6", "C-1001"
PASSWORD = "only for the benchmark"


def fill(conn: psycopg.Connection, *, reviews: int) -> None:
    """Write so many open reviews in one transaction of `conn`, for `person("rita")` to decide."""
    made = {agent.name: define(agent) for agent in all_agents()}
    for name, one in made.items():
        AgentDefinition.objects.get_or_create(
            sha256=one.sha256, defaults={"agent_type": name, "body": one.body}
        )
    document, authority = _report(), Regulator.objects.get(pk="REG-NFSA")
    values = {
        "reviews": reviews,
        "customers": CUSTOMERS,
        "long": LONG,
        "agents": list(made),
        "definitions": [one.sha256 for one in made.values()],
        "limits": json.dumps(limit_rules.to_json(LIMITS)),
        "system": User.objects.get(username="system").pk,
        "reviewer": person("rita").pk,
        "colleague": person("omar").pk,
        "regulator": authority.pk,
        "regulator_version": str(authority.version),
        "document": document.pk,
        "sha256": document.sha256,
        "regulation": REGULATION,
        "subject": SUBJECT,
        "findings": json.dumps(_findings()),
    }
    with conn.transaction(), psycopg.ClientCursor(conn) as cursor:
        cursor.execute(SQL.read_text(), values)


def person(name: str) -> User:
    """Return a login that may decide on everything and view everything, with PASSWORD."""
    found, _ = User.objects.get_or_create(username=name)
    if not found.password:
        found.is_staff = True
        found.set_password(PASSWORD)
        found.save()
    may = Q(codename__startswith="approve_") | Q(codename__startswith="view_")
    found.user_permissions.set(Permission.objects.filter(may))
    return found


def _findings() -> list[dict[str, str]]:
    """Return a finding for each requirement, as the tool wants them."""
    return [
        {
            "requirement_id": one["id"],
            "finding": "The records do not say; somebody has to ask.",
            "status": "unclear",
            "source": "none on file",
        }
        for one in Regulation.objects.get(pk=REGULATION).requirements
    ]


def _report() -> Document:
    """Keep one real report, for the filings to file."""
    arguments = {
        "customer_id": SUBJECT,
        "regulation_code": REGULATION,
        "title": "Report",
        "summary": "The records were read.",
        "findings": _findings(),
    }
    content, pages = draft(TOOLS["generate_compliance_document"].parse(arguments))
    sha256 = hashlib.sha256(content).hexdigest()
    return Document.objects.create(
        document_id=f"DOC-{sha256[:12]}",
        kind=Document.REPORT,
        title="Report",
        customer_id=SUBJECT,
        regulation_id=REGULATION,
        text="The records were read.",
        content=content,
        content_type="application/pdf",
        sha256=sha256,
        pages=pages,
    )
