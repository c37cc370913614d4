"""Documents that tools made or read, as files."""

from __future__ import annotations

from django.http import HttpResponse

from tools.models import Document

# A document is shown, never run: no scripts, no loads, no place in a frame.
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
SHOWN_IN_BROWSER = ("application/pdf", "text/plain; charset=utf-8")


def file_response(document: Document, *, download: bool) -> HttpResponse:
    """Return the document's bytes; `download` or an unusual type makes the browser save them."""
    shown = document.content_type in SHOWN_IN_BROWSER and not download
    return HttpResponse(
        bytes(document.content),
        content_type=document.content_type if shown else "application/octet-stream",
        headers={
            "Content-Disposition": f"{'inline' if shown else 'attachment'}; "
            f'filename="{document.filename}"',
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "ETag": f'"{document.sha256}"',
        },
    )
