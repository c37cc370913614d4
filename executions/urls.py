"""Addresses of the review desk and our pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from executions.desk import batch, claims, editing, listing, news, papers
from executions.desk import views as desk
from executions.pages import stories
from executions.pages import views as pages
from executions.pages.staying import stay
from executions.pages.you import you

# One page to log in, under the strict policy.
one_login = login_not_required(RedirectView.as_view(pattern_name="login", query_string=True))

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", pages.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
    path("admin/login/", one_login),
    path("reviews/", listing.reviews, name="reviews"),
    path("reviews/news/", news.news, name="reviews-news"),
    path("reviews/waiting/", news.waiting, name="reviews-waiting"),
    path("reviews/together/<str:tool_name>/", batch.together, name="reviews-together"),
    path("reviews/<uuid:review_id>/", desk.review, name="review"),
    path(
        "reviews/<uuid:review_id>/papers/<int:paper>/<int:number>.png",
        papers.paper_page,
        name="review-page",
    ),
    path("reviews/<uuid:review_id>/decide/", desk.decide, name="review-decide"),
    path("reviews/<uuid:review_id>/outcome/", desk.outcome, name="review-outcome"),
    path("reviews/<uuid:review_id>/ask/", desk.ask, name="review-ask"),
    path("reviews/<uuid:review_id>/settle/", desk.settle, name="review-settle"),
    path("reviews/<uuid:review_id>/cancel/", desk.cancel, name="review-cancel"),
    path("reviews/<uuid:review_id>/withdraw/", desk.withdraw, name="review-withdraw"),
    path("reviews/<uuid:review_id>/claim/", claims.claim, name="review-claim"),
    path("reviews/<uuid:review_id>/release/", claims.release, name="review-release"),
    path("reviews/<uuid:review_id>/take-over/", claims.take_over, name="review-take-over"),
    path("reviews/<uuid:review_id>/edit/", editing.edit, name="review-edit"),
    path("executions/", pages.executions, name="executions"),
    path("executions/launch/", pages.launch, name="launch"),
    path("executions/<uuid:execution_id>/", pages.execution, name="execution"),
    path("executions/<uuid:execution_id>/followed/", stories.followed, name="execution-followed"),
    path("executions/<uuid:execution_id>/cancel/", pages.cancel, name="execution-cancel"),
    path("executions/<uuid:execution_id>/retry/", pages.retry, name="execution-retry"),
    path("calls/<uuid:call_id>/output.json", pages.call_output, name="call-output"),
    path("switches/", pages.switches, name="switches"),
    path("switches/lift/", pages.lift_switch, name="switch-lift"),
    path("metrics/", pages.metrics, name="metrics"),
    path("you/", you, name="you"),
    path("you/stay/", stay, name="stay"),
    path("documents/<str:document_id>/", pages.document, name="document"),
]
