"""Which address leads where."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("executions.urls")),
    path("admin/", admin.site.urls),
]
handler403 = "executions.pages.errors.forbidden"
handler404 = "executions.pages.errors.not_found"
handler500 = "executions.pages.errors.broken"
