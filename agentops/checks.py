"""System checks of the configuration: what each variable alone cannot tell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register

from agentops.environment import known_names

READ_ELSEWHERE = {
    "AGENTOPS_BROWSER",
    "AGENTOPS_ENV_FILE",
    "AGENTOPS_PORT",
}
"""Variables that dev.py, `make run` and the tests read; the settings never see them."""


@register
def lease_outlives_heartbeats(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    """One late heartbeat must not cost a runner everything it holds."""
    if settings.AGENTOPS_HEARTBEAT_S * 2 < settings.AGENTOPS_LEASE_S:
        return []
    return [
        checks.Error(
            f"AGENTOPS_LEASE_S ({settings.AGENTOPS_LEASE_S}) is not longer than two heartbeats "
            f"(AGENTOPS_HEARTBEAT_S, {settings.AGENTOPS_HEARTBEAT_S}).",
            hint="A lease of three heartbeats is usual: 15 and 5.",
            id="agentops.E001",
        )
    ]


@register
def no_unknown_variables(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    """A misspelt variable would silently leave its default in force."""
    known = known_names | READ_ELSEWHERE
    unknown = [name for name in os.environ if name.startswith("AGENTOPS_") and name not in known]
    return [_unknown(name, known) for name in sorted(unknown)]


def _unknown(name: str, known: set[str]) -> CheckMessage:
    near = get_close_matches(name, sorted(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else ".env.example lists every variable."
    return checks.Warning(f"Nothing reads the variable {name}.", hint=hint, id="agentops.W001")


@register(deploy=True)
def production_can_send_mail(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    if "smtp" in settings.EMAIL_BACKEND:
        return []
    return [
        checks.Warning(
            "EMAIL_URL names no mail server: what agents send stays on this machine.",
            hint="EMAIL_URL=smtp+tls://user:password@host:587",
            id="agentops.W002",
        )
    ]


@register(deploy=True)
def production_has_an_llm(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    if settings.OPENAI_API_KEY and not settings.AGENTOPS_REHEARSAL:
        return []
    return [
        checks.Warning(
            "There is no LLM: OPENAI_API_KEY is not set, or the rehearsal server plays its part.",
            hint="Set OPENAI_API_KEY, and OPENAI_BASE_URL for another vendor.",
            id="agentops.W003",
        )
    ]


@register
def a_webhook_is_signed(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    if not settings.AGENTOPS_WEBHOOK_URL or len(settings.AGENTOPS_WEBHOOK_SECRET) >= 16:
        return []
    return [
        checks.Error(
            "AGENTOPS_WEBHOOK_URL is set, and AGENTOPS_WEBHOOK_SECRET is missing or short.",
            hint="Whoever takes the posts trusts them by a secret of 16 characters or more.",
            id="agentops.E002",
        )
    ]


@register(deploy=True)
def links_lead_to_the_site(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[CheckMessage]:
    if "localhost" not in settings.AGENTOPS_SITE_URL:
        return []
    return [
        checks.Warning(
            "AGENTOPS_SITE_URL is not set: the links in mails to reviewers lead nowhere.",
            hint="AGENTOPS_SITE_URL=https://agentops.example.com",
            id="agentops.W004",
        )
    ]
