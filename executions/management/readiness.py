"""Can anything run at all? Asked before a launch, so that nobody waits for nothing."""

from __future__ import annotations

from django.conf import settings
from django.db.models.functions import Now

from executions.models import AgentRunner

NO_LLM = (
    "OPENAI_API_KEY is not set here and no runner stands that might have it, so nothing could"
    " run. Set it (and OPENAI_BASE_URL for another endpoint), or start `make run`, which rehearses"
    " without a key; --anyway launches all the same."
)
NO_RUNNER = (
    "No runner stands at the moment: the execution waits until `make run` or"
    " `Q_CLUSTER_NAME=agents manage.py qcluster` is started."
)


def missing_llm() -> str | None:
    """Return why nothing launched now could run, or None.

    The key belongs to the workers; where some stand, the one of this process does not matter.
    """
    return None if settings.OPENAI_API_KEY or a_runner_stands() else NO_LLM


def a_runner_stands() -> bool:
    return AgentRunner.objects.filter(dead_at=None, lease_until__gt=Now()).exists()
