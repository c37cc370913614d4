from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "agentops.accounts"
    label = "accounts"

    def ready(self) -> None:
        import_module("agentops.checks")
