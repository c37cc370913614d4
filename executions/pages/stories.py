"""The page that tells an execution's story, and the parts of it that follow it to its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from executions import operations, permissions
from executions.pages import kept, retrying, rights, sentences
from executions.pages.following import Following, following, state_of
from executions.pages.frame import PersonRequest, page, switched_off
from executions.pages.story import Story, story_of


class SeenForm(forms.Form):
    """What a page that follows has: its state, its last step, the first of its steps that was not
    settled, and its last moment; what is not said it does not have."""

    seen = forms.CharField(max_length=200, required=False)
    last_step = forms.IntegerField(min_value=0, required=False)
    first_unsettled = forms.IntegerField(min_value=0, required=False)
    last_moment = forms.IntegerField(min_value=0, required=False)


def story_page(
    request: PersonRequest,
    execution_id: UUID,
    more: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    state = _state(execution_id)
    story = _story(execution_id)
    follows = following(story, state)
    words = kept.words_for(request, reverse("execution", args=[execution_id]))
    context = {
        **_context(request, story, follows),
        "look_again_s": follows.look_again_s if "still" not in request.GET else 0,
        "typed": words.get("reason", ""),
        "outdated": operations.outdated(story.execution),
        **(more or {}),
    }
    return page(request, "pages/story.html", context, here="executions", status=status)


@require_safe
def followed(request: PersonRequest, execution_id: UUID) -> HttpResponse:
    """Answer what changed on an execution's page since it was as `seen`: 204 when nothing did."""
    rights.require(request.user, rights.VIEW_EXECUTIONS, "look at executions")
    state = _state(execution_id)
    had = SeenForm(request.GET)
    if not had.is_valid():
        raise BadRequest("This is not an address of ours.")
    if state == had.cleaned_data["seen"]:
        return HttpResponse(status=204)
    story = _story(execution_id)
    context = {
        **_context(request, story, following(story, state)),
        "anew": True,
        "switched_off": switched_off(),
        "strip_anew": not had.cleaned_data["seen"].endswith(state[state.rindex("|") :]),
        **_since(story, had.cleaned_data),
    }
    response = render(request, "pages/_story_anew.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _state(execution_id: UUID) -> str:
    """Read it before the story: what happens between the two is then told the next time."""
    state = state_of(execution_id)
    if state is None:
        raise Http404
    return state


def _story(execution_id: UUID) -> Story:
    story = story_of(execution_id)
    if story is None:
        raise Http404
    return story


def _context(request: PersonRequest, story: Story, follows: Following) -> dict[str, Any]:
    execution = story.execution
    return {
        "story": story,
        "follows": follows,
        "execution": execution,
        "headline": sentences.headline(story),
        "why": sentences.why(execution),
        "transitions": [(row, sentences.event(row)) for row in story.transitions],
        "decidable": rights.decidable_tools(request.user),
        **retrying.offer(request.user, execution),
        "may_cancel": request.user.has_perm(permissions.CANCEL) and not execution.is_final,
    }


def _since(story: Story, told: dict[str, Any]) -> dict[str, Any]:
    """Return the steps to be put anew, those to be added, and the moments to be added."""
    had = {name: value or 0 for name, value in told.items()}
    known, added = [], []
    for one in story.steps:
        number = one.step.step_number
        if number > had["last_step"]:
            added.append(one)
        elif number >= had["first_unsettled"]:
            known.append(one)
    moments = [
        (row, sentences.event(row)) for row in story.transitions if row.seq > had["last_moment"]
    ]
    return {"known": known, "added": added, "had_none": not had["last_step"], "moments": moments}
