from django.apps import AppConfig


class ToolsConfig(AppConfig):
    """What agents can do, and the records they do it with."""

    name = "tools"
    label = "tools"
    verbose_name = "Records the tools work with"
