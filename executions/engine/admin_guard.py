"""django-q2's own admin runs any function somebody types, and unpickles whatever lies in a row."""

from __future__ import annotations

import django_q.admin  # noqa: F401 - registers its pages; once they are, they can be taken away
from django.apps import apps
from django.contrib import admin


def unregister() -> None:
    """Take django-q2's pages out of the admin, whichever it has by now."""
    for model in apps.get_app_config("django_q").get_models(include_auto_created=True):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
