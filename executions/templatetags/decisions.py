"""How templates show what people decided on a review: `{% load decisions %}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString

from executions.templatetags import words
from executions.templatetags.show import status

register = template.Library()


@register.filter
def standing(review: Any) -> list[Any]:
    """Return the votes read with a review, without those that were withdrawn."""
    return [vote for vote in review.votes.all() if vote.withdrawn_at is None]


@register.filter
def approvals(review: Any) -> int:
    return sum(vote.vote == "approve" for vote in standing(review))


@register.filter
def became(review: Any) -> str:
    """Return what a review came to, in words that follow its name."""
    return words.became(review.status, review.kind, _last(standing(review)))


@register.simple_tag
def decided(review: Any, votes: Sequence[Any] | None = None) -> SafeString:
    """Show the status of a review as what it came to. `votes`: those that stand, where they were
    not read with it."""
    last = _last(standing(review) if votes is None else votes)
    return status(words.became(review.status, review.kind, last))


def _last(votes: Sequence[Any]) -> str:
    return str(votes[-1].vote) if votes else ""
