"""The executions app: what it does when Django starts and after it migrates."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Agents"

    def ready(self) -> None:
        import_module("executions.checks")
        import_module("executions.engine.packages").install()
        post_migrate.connect(import_module("executions.registry_sync").sync_registry, sender=self)
        schedules = import_module("executions.engine.schedules")
        post_migrate.connect(schedules.sync_schedules, sender=self)
        user_logged_in.connect(import_module("executions.pages.staying").begin)
        for module in settings.AGENTOPS_AGENT_MODULES:
            import_module(module)
