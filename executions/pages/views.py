"""The pages' views: read, or call one operation and redirect."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.http import url_has_allowed_host_and_scheme as is_inside
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from executions import operations, permissions
from executions.agents import InputRefused, UnknownAgent, all_agents, get_agent
from executions.models import AgentToolCall
from executions.operations.refusals import NotFound, NotPermitted, Refusal
from executions.pages import health, kept, launching, retrying, rights, switching
from executions.pages.documents import file_response
from executions.pages.frame import PersonRequest, page, site
from executions.pages.stories import story_page
from tools.models import Document

RETRY_REFUSED = (Refusal, UnknownAgent, InputRefused)


class Login(LoginView):
    template_name = "pages/login.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        kept_words = self.request.POST.get(kept.KEY, "")
        return super().get_context_data(**site(), kept=kept_words, **context)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        kept.unpack(self.request)
        return response


@require_safe
def home(request: PersonRequest) -> HttpResponse:
    """Where one starts: reviewers at their desk, operations at the executions."""
    decides = rights.decidable_tools(request.user)
    watches = request.user.has_perm(rights.VIEW_EXECUTIONS) and request.user.is_staff
    return redirect("executions" if watches and not decides else "reviews")


@require_safe
def executions(request: PersonRequest) -> HttpResponse:
    """The list of executions is the admin's."""
    return redirect("admin:executions_agentexecution_changelist")


@require_safe
def execution(request: PersonRequest, execution_id: UUID) -> HttpResponse:
    rights.require(request.user, rights.VIEW_EXECUTIONS, "look at executions")
    return story_page(request, execution_id)


@require_POST
def cancel(request: PersonRequest, execution_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        cancelled = operations.cancel(execution_id=execution_id, person=request.user, reason=reason)
    except NotFound as error:
        raise Http404 from error
    except Refusal as error:
        rights.require(request.user, rights.VIEW_EXECUTIONS, "look at executions")
        status = 403 if isinstance(error, NotPermitted) else 409
        context = {"refusal": str(error), "refused": "Not cancelled.", "typed": reason}
        return story_page(request, execution_id, context, status=status)
    done = "Cancelled." if cancelled.is_final else "It will stop: nothing more of it starts."
    messages.success(request, done)
    return redirect("execution", execution_id)


@require_POST
def retry(request: PersonRequest, execution_id: UUID) -> HttpResponse:
    """Launch it anew; `seen` are the effects that the page showed, if the person ticked them."""
    rights.require(request.user, rights.VIEW_EXECUTIONS, "look at executions")
    seen = request.POST.getlist("seen") if request.POST.get("again") else []
    try:
        launched = operations.retry(
            execution_id=execution_id, person=request.user, acknowledged=retrying.ids(seen)
        )
    except NotFound as error:
        raise Http404 from error
    except RETRY_REFUSED as error:
        status = 403 if isinstance(error, NotPermitted) else 409
        context = {"refusal": str(error), "refused": "Not launched."}
        return story_page(request, execution_id, context, status=status)
    messages.success(request, "Launched anew." if launched.is_new else "Launched already.")
    return redirect("execution", launched.execution.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: PersonRequest) -> HttpResponse:
    """Choose an agent (`?agent=`), then send its form."""
    rights.require(request.user, permissions.LAUNCH, "launch executions")
    name = request.GET.get("agent", "")
    try:
        agent = get_agent(name) if name else None
    except UnknownAgent as error:
        raise Http404(str(error)) from error
    if agent is None:
        return page(request, "pages/launch.html", {"agents": all_agents()}, here="launch")
    form = launching.blank_form(agent)
    if request.method == "POST":
        form = launching.LaunchForm(request.POST)
        launched = form.is_valid() and launching.launch(form, agent=agent, person=request.user)
        if launched:
            messages.success(request, "Launched." if launched.is_new else "Launched already.")
            may_see = request.user.has_perm(rights.VIEW_EXECUTIONS)
            return redirect("execution", launched.execution.pk) if may_see else redirect("launch")
    context = {"agents": all_agents(), "agent": agent, "form": form}
    return page(
        request, "pages/launch.html", context, here="launch", status=422 if form.errors else 200
    )


@require_safe
def metrics(request: PersonRequest) -> HttpResponse:
    rights.require(request.user, rights.VIEW_EXECUTIONS, "see the metrics")
    chosen = health.choice(request.GET.get("agent", ""), request.GET.get("window", ""))
    return page(request, "pages/metrics.html", health.context(chosen), here="metrics")


@require_http_methods(["GET", "HEAD", "POST"])
def switches(request: PersonRequest) -> HttpResponse:
    """Say what is switched off, and switch more off once one has seen what that stops."""
    rights.require(request.user, permissions.SWITCH, "pull switches")
    form = switching.PullForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        step = form.cleaned_data["step"]
        if step == "confirm":
            return _pulled(request, form)
        if not step:
            context |= {"asks": switching.asked(form.cleaned_data)}
    status = 422 if form.errors else 200
    return page(request, "pages/switches.html", context, here="switches", status=status)


def _pulled(request: PersonRequest, form: switching.PullForm) -> HttpResponse:
    try:
        pulled = switching.pull(form.cleaned_data, request.user)
    except Refusal as error:
        form.add_error(None, str(error))
        return page(request, "pages/switches.html", {"form": form}, here="switches", status=422)
    messages.success(request, switching.told(pulled))
    return redirect("switches")


@require_POST
def lift_switch(request: PersonRequest) -> HttpResponse:
    """Lift a switch from the banner that every page has, and go back to that page."""
    rights.require(request.user, permissions.SWITCH, "lift switches")
    form = switching.LiftForm(request.POST)
    if not form.is_valid():
        raise BadRequest("This is not a form of ours.")
    try:
        lifted = switching.lift(form.cleaned_data, request.user)
    except Refusal as error:
        messages.error(request, str(error))
    else:
        messages.success(request, switching.told(lifted))
    there = form.cleaned_data["next"]
    return redirect(there if is_inside(there, {request.get_host()}) else reverse("switches"))


@require_safe
def document(request: PersonRequest, document_id: str) -> HttpResponse:
    rights.require(request.user, rights.VIEW_DOCUMENTS, "read documents")
    found = get_object_or_404(Document, pk=document_id)
    return file_response(found, download="download" in request.GET)


@require_safe
def call_output(request: PersonRequest, call_id: UUID) -> HttpResponse:
    """A call's whole output, as a file; a page shows the beginning of a very long one."""
    rights.require(request.user, rights.VIEW_EXECUTIONS, "look at executions")
    found = get_object_or_404(AgentToolCall, pk=call_id)
    name = f"{found.tool_name}-{str(found.pk)[:8]}.json"
    response = JsonResponse(found.tool_output, safe=False)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response
