"""After each migrate: tell the database which tools are always gated, and make the permissions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from executions.models import AgentGatedTool, AgentReview
from tools.registry import ALWAYS_GATED, TOOLS


def sync_registry(using: str = "default", **_: Any) -> None:
    """Fill `agent_gated_tools` and the approve permissions from the tool registry.

    A tool that left the registry keeps its row: its old calls stay gated.
    """
    if AgentGatedTool._meta.db_table not in connections[using].introspection.table_names():
        return  # the app has just been migrated away
    for name, votes in ALWAYS_GATED.items():
        AgentGatedTool.objects.using(using).update_or_create(
            tool_name=name, defaults={"least_votes": votes}
        )
    owner = ContentType.objects.db_manager(using).get_for_model(AgentReview)
    for name, tool in TOOLS.items():
        if tool.approval.mode != "never":
            Permission.objects.using(using).update_or_create(
                content_type=owner,
                codename=f"approve_{name}",
                defaults={"name": f"Can approve {name}"},
            )
