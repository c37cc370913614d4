"""Who gets what answer where: every address, as everybody, by GET and by POST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from agentops.accounts.models import User
from tests.executions.relations import Relations
from tests.support.addresses import Address, every_address
from tests.support.contents import changed, contents
from tests.support.effort import Effort

pytestmark = pytest.mark.django_db

TOKEN = "t" * 32
PARTS = ("launched", "edited", "voted")
LOGINS = ("/login/", "/admin/login/")  # the second leads to the first

# The columns are people: `another` reviews another tool; `launched`, `edited` and `voted` had a
# part in the very action; `free` may decide on it; `service` cannot log in (relations.py).
# `login`: sent to the login, or shown it with what was typed kept (401).
# 403: not allowed. 409: allowed, but not on this one or not now. 422: the form lacks something.
# After a colon: which choice the form makes.
ANSWERS = """
how  address                                              nobody no-role another launched edited voted  free operator super service
GET  home                                                  login     302     302      302    302   302   302      302   302   login
POST home                                                  login     405     405      405    405   405   405      405   405   login
GET  login                                                   200     200     200      200    200   200   200      200   200     200
POST login                                                   302     302     302      302    302   302   302      302   302     302
GET  logout                                                login     405     405      405    405   405   405      405   405   login
POST logout                                                login   login   login    login  login login login    login login   login
GET  admin/login/                                          login   login   login    login  login login login    login login   login
POST admin/login/                                          login   login   login    login  login login login    login login   login
GET  reviews                                               login     200     200      200    200   200   200      200   200   login
POST reviews                                               login     405     405      405    405   405   405      405   405   login
GET  reviews-news                                          login     204     204      204    204   204   204      204   204   login
POST reviews-news                                          login     405     405      405    405   405   405      405   405   login
GET  reviews-waiting                                       login     200     200      200    200   200   200      200   200   login
POST reviews-waiting                                       login     405     405      405    405   405   405      405   405   login
GET  reviews-together                                      login     403     403      200    200   200   200      403   200   login
POST reviews-together                                      login     403     403      200    200   200   200      403   200   login
GET  review                                                login     403     403      200    200   200   200      403   200   login
POST review                                                login     405     405      405    405   405   405      405   405   login
GET  review-page                                           login     403     403      200    200   200   200      403   200   login
POST review-page                                           login     405     405      405    405   405   405      405   405   login
GET  review-decide                                         login     302     302      302    302   302   302      302   302   login
POST review-decide:approve                                 login     403     403      403    403   200   302      403   302   login
POST review-decide:reject                                  login     403     403      302    302   409   302      403   302   login
GET  review-outcome                                        login     403     403      200    200   200   200      403   200   login
POST review-outcome                                        login     405     405      405    405   405   405      405   405   login
GET  review-ask                                            login     302     302      302    302   302   302      302   302   login
POST review-ask                                            login     403     403      302    302   409   302      403   302   login
GET  review-settle                                         login     302     302      302    302   302   302      302   302   login
POST review-settle:run                                     login     403     403      403    302   302   302      403   302   login
POST review-settle:drop                                    login     403     403      302    302   302   302      403   302   login
GET  review-cancel                                         login     302     302      302    302   302   302      302   302   login
POST review-cancel                                         login     403     403      403    403   403   403      403   302   login
GET  review-withdraw                                       login     302     302      302    302   302   302      302   302   login
POST review-withdraw                                       login     403     403      403    403   302   403      403   403   login
GET  review-claim                                          login     302     302      302    302   302   302      302   302   login
POST review-claim                                          login     403     403      302    302   302   302      403   302   login
GET  review-release                                        login     302     302      302    302   302   302      302   302   login
POST review-release                                        login     403     403      302    302   302   302      403   302   login
GET  review-take-over                                      login     302     302      302    302   302   302      302   302   login
POST review-take-over                                       login     403     403      302    302   409   302      403   302   login
GET  review-edit                                           login     403     403      200    200   200   200      403   200   login
POST review-edit                                           login     403     403      302    302   302   302      403   302   login
GET  executions                                            login     302     302      302    302   302   302      302   302   login
POST executions                                            login     405     405      405    405   405   405      405   405   login
GET  launch                                                login     403     403      403    403   403   403      200   200   login
POST launch                                                login     403     403      403    403   403   403      200   200   login
GET  execution                                             login     403     403      200    200   200   200      200   200   login
POST execution                                             login     405     405      405    405   405   405      405   405   login
GET  execution-followed                                    login     403     403      200    200   200   200      200   200   login
POST execution-followed                                    login     405     405      405    405   405   405      405   405   login
GET  execution-cancel                                      login     405     405      405    405   405   405      405   405   login
POST execution-cancel                                      login     403     403      403    403   403   403      302   302   login
GET  execution-retry                                       login     405     405      405    405   405   405      405   405   login
POST execution-retry                                       login     403     403      403    403   403   403      409   409   login
GET  call-output                                           login     403     403      200    200   200   200      200   200   login
POST call-output                                           login     405     405      405    405   405   405      405   405   login
GET  switches                                              login     403     403      403    403   403   403      200   200   login
POST switches                                              login     403     403      403    403   403   403      302   302   login
GET  switch-lift                                           login     405     405      405    405   405   405      405   405   login
POST switch-lift                                           login     403     403      403    403   403   403      302   302   login
GET  metrics                                               login     403     403      200    200   200   200      200   200   login
POST metrics                                               login     405     405      405    405   405   405      405   405   login
GET  you                                                   login     200     200      200    200   200   200      200   200   login
POST you                                                   login     302     302      302    302   302   302      302   302   login
GET  stay                                                  login     200     200      200    200   200   200      200   200   login
POST stay                                                  login     200     200      200    200   200   200      200   200   login
GET  document                                              login     403     403      200    200   200   200      200   200   login
POST document                                              login     405     405      405    405   405   405      405   405   login
GET  admin:search                                          login     200   login      200    200   200   200      200   200   login
POST admin:search                                          login     200   login      200    200   200   200      200   200   login
GET  admin:index                                           login     200   login      200    200   200   200      200   200   login
POST admin:index                                           login     200   login      200    200   200   200      200   200   login
GET  admin:login                                           login   login   login    login  login login login    login login   login
POST admin:login                                           login   login   login    login  login login login    login login   login
GET  admin:logout                                          login     405     302      405    405   405   405      405   405   login
POST admin:logout                                          login     200     302      200    200   200   200      200   200   login
GET  admin:password_change                                 login     200   login      200    200   200   200      200   200   login
POST admin:password_change                                 login     200   login      200    200   200   200      200   200   login
GET  admin:password_change_done                            login     200   login      200    200   200   200      200   200   login
POST admin:password_change_done                            login     405   login      405    405   405   405      405   405   login
GET  admin:autocomplete                                    login     403   login      403    403   403   403      403   403   login
POST admin:autocomplete                                    login     405   login      405    405   405   405      405   405   login
GET  admin:jsi18n                                          login     200   login      200    200   200   200      200   200   login
POST admin:jsi18n                                          login     405   login      405    405   405   405      405   405   login
GET  admin:view_on_site                                    login     404   login      404    404   404   404      404   404   login
POST admin:view_on_site                                    login     404   login      404    404   404   404      404   404   login
GET  admin:auth_user_password_change                       login     403   login      403    403   403   403      403   200   login
POST admin:auth_user_password_change                       login     403   login      403    403   403   403      403   200   login
GET  admin:accounts_user_changelist                        login     403   login      403    403   403   403      403   200   login
POST admin:accounts_user_changelist                        login     403   login      403    403   403   403      403   200   login
GET  admin:accounts_user_add                               login     403   login      403    403   403   403      403   200   login
POST admin:accounts_user_add                               login     403   login      403    403   403   403      403   200   login
GET  admin:accounts_user_history                           login     403   login      403    403   403   403      403   200   login
POST admin:accounts_user_history                           login     403   login      403    403   403   403      403   200   login
GET  admin:accounts_user_delete                            login     403   login      403    403   403   403      403   200   login
POST admin:accounts_user_delete                            login     403   login      403    403   403   403      403   200   login
GET  admin:accounts_user_change                            login     403   login      403    403   403   403      403   200   login
POST admin:accounts_user_change                            login     403   login      403    403   403   403      403   200   login
GET  admin/accounts/user/<path:object_id>/                 login     302   login      302    302   302   302      302   302   login
POST admin/accounts/user/<path:object_id>/                 login     302   login      302    302   302   302      302   302   login
GET  admin:auth_group_changelist                           login     403   login      403    403   403   403      403   200   login
POST admin:auth_group_changelist                           login     403   login      403    403   403   403      403   200   login
GET  admin:auth_group_add                                  login     403   login      403    403   403   403      403   200   login
POST admin:auth_group_add                                  login     403   login      403    403   403   403      403   200   login
GET  admin:auth_group_history                              login     403   login      403    403   403   403      403   200   login
POST admin:auth_group_history                              login     403   login      403    403   403   403      403   200   login
GET  admin:auth_group_delete                               login     403   login      403    403   403   403      403   200   login
POST admin:auth_group_delete                               login     403   login      403    403   403   403      403   302   login
GET  admin:auth_group_change                               login     403   login      403    403   403   403      403   200   login
POST admin:auth_group_change                               login     403   login      403    403   403   403      403   200   login
GET  admin/auth/group/<path:object_id>/                    login     302   login      302    302   302   302      302   302   login
POST admin/auth/group/<path:object_id>/                    login     302   login      302    302   302   302      302   302   login
GET  admin:executions_agentexecution_changelist            login     403   login      200    200   200   200      200   200   login
POST admin:executions_agentexecution_changelist            login     403   login      200    200   200   200      200   200   login
GET  admin:executions_agentexecution_add                   login     403   login      403    403   403   403      403   403   login
POST admin:executions_agentexecution_add                   login     403   login      403    403   403   403      403   403   login
GET  admin:executions_agentexecution_history               login     403   login      200    200   200   200      200   200   login
POST admin:executions_agentexecution_history               login     403   login      200    200   200   200      200   200   login
GET  admin:executions_agentexecution_delete                login     403   login      403    403   403   403      403   403   login
POST admin:executions_agentexecution_delete                login     403   login      403    403   403   403      403   403   login
GET  admin:executions_agentexecution_change                login     403   login      200    200   200   200      200   200   login
POST admin:executions_agentexecution_change                login     403   login      403    403   403   403      403   403   login
GET  admin/executions/agentexecution/<path:object_id>/     login     302   login      302    302   302   302      302   302   login
POST admin/executions/agentexecution/<path:object_id>/     login     302   login      302    302   302   302      302   302   login
GET  admin:executions_agenttoolcall_changelist             login     403   login      200    200   200   200      200   200   login
POST admin:executions_agenttoolcall_changelist             login     403   login      200    200   200   200      200   200   login
GET  admin:executions_agenttoolcall_add                    login     403   login      403    403   403   403      403   403   login
POST admin:executions_agenttoolcall_add                    login     403   login      403    403   403   403      403   403   login
GET  admin:executions_agenttoolcall_history                login     403   login      200    200   200   200      200   200   login
POST admin:executions_agenttoolcall_history                login     403   login      200    200   200   200      200   200   login
GET  admin:executions_agenttoolcall_delete                 login     403   login      403    403   403   403      403   403   login
POST admin:executions_agenttoolcall_delete                 login     403   login      403    403   403   403      403   403   login
GET  admin:executions_agenttoolcall_change                 login     403   login      200    200   200   200      200   200   login
POST admin:executions_agenttoolcall_change                 login     403   login      403    403   403   403      403   403   login
GET  admin/executions/agenttoolcall/<path:object_id>/      login     302   login      302    302   302   302      302   302   login
POST admin/executions/agenttoolcall/<path:object_id>/      login     302   login      302    302   302   302      302   302   login
GET  admin:app_list                                        login     404   login      200    200   200   200      200   200   login
POST admin:app_list                                        login     404   login      200    200   200   200      200   200   login
GET  admin/(?P<url>.*)$                                    login     404   login      404    404   404   404      404   404   login
POST admin/(?P<url>.*)$                                    login     404   login      404    404   404   404      404   404   login
"""  # noqa: E501
# A new address needs a line for GET and one for POST. Run the test: it prints today's answers.
# Judge each of them before you paste the line; 403 is right until somebody says why not.


def rows() -> dict[tuple[str, str], list[str]]:
    """Return the table: (how, address) -> an answer for each person."""
    lines = [line.split() for line in ANSWERS.strip().splitlines()[1:] if line.strip()]
    return {(how, name): answers for how, name, *answers in lines}


def asked() -> Iterator[tuple[str, str, Address]]:
    """Go through what is asked: how, the name with the form's choice, and the address."""
    choices = {"review-decide": ("approve", "reject"), "review-settle": ("run", "drop")}
    for address in every_address():
        yield "GET", address.name, address
        for choice in choices.get(address.name, ("",)):
            yield "POST", f"{address.name}:{choice}" if choice else address.name, address


class Asking:
    """Ask as one person. Nothing that is asked for `lasts`, unless told so."""

    def __init__(self, relations: Relations, person: User | None) -> None:
        self.relations = relations
        login = Client()
        if person:
            login.force_login(person)
        self.session = login.cookies.get(settings.SESSION_COOKIE_NAME)

    def __call__(
        self, how: str, name: str, address: Address, *, token: str = TOKEN, lasts: bool = False
    ) -> str:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        if self.session:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session.value
        client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
        url = address.url(self.relations.known(address.name))
        with transaction.atomic():
            if how == "GET":
                response = client.get(url)
            else:
                form = self.relations.form(address.name, name.partition(":")[2])
                response = client.post(url, {**form, "csrfmiddlewaretoken": token})
            transaction.set_rollback(not lasts)
        return told(response)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of refusals, each with a traceback, would cost more than the requests."""
    caplog.set_level("CRITICAL", logger="django.request")


def told(response: HttpResponseBase) -> str:
    """Return the answer as the table has it."""
    to = response.headers.get("Location", "")
    is_login = response.status_code == 401 or to.startswith(LOGINS)
    return "login" if is_login else str(response.status_code)


def test_everybody_gets_the_answer_that_the_table_says(effort: Effort) -> None:
    """S6, S8: default deny. S7: looking changes nothing."""
    relations = Relations()
    found: dict[tuple[str, str], list[str]] = {}
    for who, person in relations.people.items():
        ask, before = Asking(relations, person), contents()
        for how, name, address in sorted(asked()):  # GET comes first
            if is_like_free(who, address) and not effort.is_long:
                found[how, name].append("free")
                continue
            if how == "POST" and before:
                assert changed(before) == set(), f"{who} changed this by looking"
                before = {}
            found.setdefault((how, name), []).append(ask(how, name, address, lasts=how == "GET"))
    free = list(relations.people).index("free")
    found = {
        key: [row[free] if one == "free" else one for one in row] for key, row in found.items()
    }
    expected = rows()
    wrong = [line(*key, row) for key, row in found.items() if expected.get(key) != row]
    assert not wrong, (
        "\nNot as in ANSWERS of tests/executions/test_rights_matrix.py. If an address is new, or "
        "was meant to change, judge each answer and put its line there; what a new form sends "
        "belongs in Relations.form():\n" + "\n".join(wrong)
    )
    gone = [key for key in expected if key not in found]
    assert not gone, f"These addresses are no more; take them out of ANSWERS: {gone}"


def is_like_free(who: str, address: Address) -> bool:
    """Who has a part in an action is anybody with their rights on pages that are not about it."""
    return who in PARTS and address.is_admin


def line(how: str, name: str, answers: list[str]) -> str:
    return f"{how:4} {name:54} {' '.join(f'{one:5}' for one in answers)}".strip()


@pytest.mark.parametrize("part", PARTS)
def test_a_superuser_with_a_part_in_it_is_held_to_that_part(part: str) -> None:
    """S6: no exemption from four eyes: the answers are those of anybody in their place."""
    relations = Relations()
    person = relations.people[part]
    assert person
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    ask, column = Asking(relations, person), list(relations.people).index(part)
    four_eyes = ("review-decide", "review-ask", "review-settle", "review-edit", "review-withdraw")
    for how, name, address in asked():
        if address.name in four_eyes:
            assert ask(how, name, address) == rows()[how, name][column], (how, name)


def test_no_form_counts_without_its_token() -> None:
    """S7: whatever it is, whoever sends it, from wherever."""
    relations = Relations()
    addresses = list(asked())
    for who in ("nobody", "super"):
        ask = Asking(relations, relations.people[who])
        before = contents()
        for how, name, address in addresses:
            if how == "POST":
                told = ask(how, name, address, token="f" * 32, lasts=True)
                assert told == "403", (who, name)
        assert changed(before) == set()
