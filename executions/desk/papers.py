"""The PDFs that go with a proposed call, page by page, for whoever decides on it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from executions.desk.item import permitted
from executions.desk.proposal import proposal_of
from executions.pages.frame import PersonRequest
from tools.pages import NotDrawable, picture


@require_safe
def paper_page(request: PersonRequest, review_id: UUID, paper: int, number: int) -> HttpResponse:
    """One page as a picture; one that cannot be drawn is a picture that says why.

    A browser may keep it, but asks each time, so that the right to see it is checked each time.
    """
    papers = proposal_of(permitted(request, review_id)).papers
    if paper >= len(papers) or number not in papers[paper].drawn_pages:
        raise Http404("There is no such page.")
    found = papers[paper]
    tag = f'"{found.sha256}-{number}"'
    if _has(request, tag):
        response: HttpResponse = HttpResponseNotModified()
    else:
        try:
            drawn = picture(found.read(), number)
        except NotDrawable as error:
            return _told(str(error))
        response = HttpResponse(drawn, content_type="image/png")
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _has(request: HttpRequest, tag: str) -> bool:
    return tag in request.headers.get("If-None-Match", "")


def _told(why: str) -> HttpResponse:
    words = why.split()
    rows = [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
    drawn = render_to_string("desk/no_page.svg", {"rows": rows})
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response
