"""How Unfold's admin looks and what its side lists; the keys are Unfold's."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

# Ink instead of a colour: hue is kept for statuses. The same greys as Unfold's base scale.
_INK = {
    "50": "oklch(98.5% .002 247.839)",
    "100": "oklch(96.7% .003 264.542)",
    "200": "oklch(92.8% .006 264.531)",
    "300": "oklch(87.2% .01 258.338)",
    "400": "oklch(87.2% .01 258.338)",
    "500": "oklch(87.2% .01 258.338)",
    "600": "oklch(27.8% .033 256.848)",
    "700": "oklch(21% .034 264.665)",
    "800": "oklch(21% .034 264.665)",
    "900": "oklch(21% .034 264.665)",
    "950": "oklch(13% .028 261.692)",
}


def _may(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


def _link(title: str, icon: str, to: str, permission: str | None = None, **more: Any) -> Any:
    link = {"title": title, "icon": icon, "link": reverse_lazy(to), **more}
    return {**link, "permission": _may(permission)} if permission else link


_NAVIGATION = [
    {
        "title": "Operations",
        "items": [
            _link("Reviews", "fact_check", "reviews", badge="executions.admin.badge.open_reviews"),
            _link(
                "Executions",
                "play_circle",
                "admin:executions_agentexecution_changelist",
                "executions.view_agentexecution",
            ),
            _link(
                "Tool calls",
                "build",
                "admin:executions_agenttoolcall_changelist",
                "executions.view_agenttoolcall",
            ),
            _link("Launch", "rocket_launch", "launch", "executions.launch_execution"),
            _link("Switches", "power_settings_new", "switches", "executions.change_agentcontrol"),
            _link("Metrics", "monitoring", "metrics", "executions.view_agentexecution"),
        ],
    },
    {
        "title": "Set-up",
        "separator": True,
        "items": [
            _link("Users", "person", "admin:accounts_user_changelist", "accounts.view_user"),
            _link("Groups", "group", "admin:auth_group_changelist", "auth.view_group"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "AgentOps",
    "SITE_HEADER": "AgentOps",
    "SITE_SYMBOL": "verified_user",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("agentops/icon.svg"),
        }
    ],
    "SHOW_HISTORY": False,
    "STYLES": [
        lambda request: static("agentops/tokens.css"),
        lambda request: static("agentops/pieces.css"),
        lambda request: static("agentops/story.css"),
        lambda request: static("agentops/admin.css"),
    ],
    "GLOBAL_CALLBACK": "executions.admin.badge.site_facts",
    "COLORS": {"primary": _INK},
    "SIDEBAR": {"show_search": False, "navigation": _NAVIGATION},
}
