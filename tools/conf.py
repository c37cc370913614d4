"""The site's settings that tools look at, each with what holds when the site says nothing."""

from __future__ import annotations

from django.conf import settings

from tools.base import ToolError

SAMPLE_ORGANISATION = "Hallberg Compliance GmbH"


def organisation() -> str:
    """Return who speaks in documents and filings; ToolError when production was given no name."""
    name = str(getattr(settings, "AGENTOPS_ORGANISATION", ""))
    if not name and getattr(settings, "AGENTOPS_ENV", "") == "production":
        raise ToolError("Nobody said in whose name to write: set AGENTOPS_ORGANISATION.")
    return name or SAMPLE_ORGANISATION


def mail_allowed_domains() -> frozenset[str]:
    """Return the domains that may get mail besides customers' own addresses, in lower case."""
    domains = getattr(settings, "AGENTOPS_MAIL_ALLOWED_DOMAINS", ())
    return frozenset(domain.lower() for domain in domains)


def sandbox_regulator_url() -> str:
    """Return where the sandbox authority takes filings."""
    default = "http://127.0.0.1:8002/filings"
    return str(getattr(settings, "AGENTOPS_SANDBOX_REGULATOR_URL", "") or default)
