from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from tests.tools.calling import a_context, run
from tools.base import Target, ToolError, ToolInputError
from tools.looking import Looking, preview_of
from tools.models import Customer
from tools.read_customer_record import as_json
from tools.registry import get_tool

TOOL = get_tool("update_customer_record")


def _asked(about: str = "C-1002", /, *, read: int | None = 1, **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": about,
        "changes": changes or {"address": "Nádražní 164, 702 00 Ostrava"},
        "reason": "M-2001: new registered office",
        "version": read,
    }


@pytest.mark.usefixtures("records")
class TestTheChange:
    def test_it_is_written_with_old_and_new_in_the_answer(self) -> None:
        output = run("update_customer_record", _asked(address="Nádražní 164", risk_rating="high"))
        assert output == {
            "customer_id": "C-1002",
            "previous_version": 1,
            "version": 2,
            "changes": [
                {"field": "address", "old": "Výstavní 12, 702 00 Ostrava", "new": "Nádražní 164"},
                {"field": "risk_rating", "old": "medium", "new": "high"},
            ],
            "reason": "M-2001: new registered office",
        }
        customer = Customer.objects.get(pk="C-1002")
        assert (customer.address, customer.risk_rating, customer.version) == (
            "Nádražní 164",
            "high",
            2,
        )

    def test_every_kind_of_field_is_written_as_it_is_typed(self) -> None:
        owners = [{"name": "Lenka Dvořáková", "share_percent": 62.5, "country": "CZ"}]
        output = run(
            "update_customer_record",
            _asked(
                beneficial_owners=owners, last_reviewed_on="2026-11-22", politically_exposed=True
            ),
        )
        customer = Customer.objects.get(pk="C-1002")
        assert customer.beneficial_owners == owners
        assert customer.last_reviewed_on == date(2026, 11, 22)
        assert customer.politically_exposed is True
        assert output["changes"][-1] == {
            "field": "last_reviewed_on",
            "old": "2026-02-17",
            "new": "2026-11-22",
        }

    def test_only_what_differs_counts_as_changed(self) -> None:
        output = run("update_customer_record", _asked(country="CZ", phone="+420 596 555 099"))
        assert [change["field"] for change in output["changes"]] == ["phone"]

    def test_a_change_that_changes_nothing_is_refused(self) -> None:
        with pytest.raises(ToolError, match="says all of this already"):
            run("update_customer_record", _asked(country="CZ"))

    def test_a_record_that_moved_on_since_it_was_read_is_not_touched(self) -> None:
        Customer.objects.filter(pk="C-1002").update(phone="+420 1111")
        with pytest.raises(ToolError, match="at version 2 now, you read version 1"):
            run("update_customer_record", _asked())
        assert Customer.objects.get(pk="C-1002").address == "Výstavní 12, 702 00 Ostrava"

    def test_a_record_that_moved_on_since_people_approved_is_not_touched(self) -> None:
        with pytest.raises(ToolError, match="changed after people approved"):
            run("update_customer_record", _asked(read=None), target_version="7")
        assert run("update_customer_record", _asked(read=None), target_version="1")

    def test_an_unknown_customer_is_refused(self) -> None:
        with pytest.raises(ToolError, match="There is no customer C-4040"):
            run("update_customer_record", _asked("C-4040"))

    def test_it_goes_with_the_transaction_it_ran_in(self) -> None:
        parsed = TOOL.parse(_asked())
        with transaction.atomic():
            TOOL.call(parsed, a_context())
            transaction.set_rollback(True)
        assert Customer.objects.get(pk="C-1002").version == 1

    def test_a_proposal_that_cannot_succeed_is_refused_before_a_person_is_asked(self) -> None:
        assert TOOL.check is not None
        TOOL.check(TOOL.parse(_asked()))
        for hopeless in (_asked("C-4040"), _asked(read=9), _asked(country="CZ")):
            with pytest.raises(ToolError):
                TOOL.check(TOOL.parse(hopeless))

    def test_its_target_is_the_record_at_its_version(self) -> None:
        assert TOOL.target is not None
        assert TOOL.target(TOOL.parse(_asked())) == Target(
            "customer", "C-1002", "1", "Ostrava Metals s.r.o. (C-1002)"
        )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"customer_id": "C-1"}, "changes.customer_id is no argument"),
        ({"version": 99}, "changes.version is no argument"),
        ({"onboarded_on": "2020-01-01"}, "changes.onboarded_on is no argument"),
        ({"address": None}, "name at least one field"),
        ({"address": ""}, "blank"),
        ({"address": "x" * 201}, "at most 200"),
        ({"address": "Nádražní\u202e 164"}, r"U\+202E"),
        ({"email": "new@example.org\nBcc: x@y.org"}, "plain e-mail address"),
        ({"phone": "call me"}, "telephone"),
        ({"country": "Czechia"}, "pattern"),
        ({"risk_rating": "none"}, "'low', 'medium' or 'high'"),
        ({"politically_exposed": "no"}, "boolean"),
        ({"last_reviewed_on": "yesterday"}, "date"),
        ({"beneficial_owners": [{"name": "A", "share_percent": 0, "country": "CZ"}]}, "greater"),
        (
            {
                "beneficial_owners": [
                    {"name": n, "share_percent": 51, "country": "CZ"} for n in "AB"
                ]
            },
            "more than 100 %",
        ),
        ({"beneficial_owners": [{"name": "A", "share_percent": 5}]}, "country is missing"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_field_and_why(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ToolInputError, match=why):
        TOOL.parse(_asked(**changes))


def test_the_headline_is_made_of_the_arguments() -> None:
    assert TOOL.headline is not None
    one = TOOL.parse(_asked(email="a@b.example"))
    three = TOOL.parse(_asked(email="a@b.example", phone="12345", country="SK"))
    assert TOOL.headline(one) == "Change the e-mail address of customer C-1002"
    assert TOOL.headline(three) == (
        "Change the e-mail address, telephone and country of customer C-1002"
    )


@pytest.mark.parametrize(
    ("changes", "risk"),
    [
        ({"phone": "+420 555 010 999"}, "low"),
        ({"phone": "+420 555 010 999", "address": "Nádražní 164"}, "low"),
        ({"email": "a@b.example"}, "medium"),
        ({"phone": "+420 555 010 999", "country": "SK"}, "medium"),
        ({"risk_rating": "low"}, "high"),
        ({"phone": "+420 555 010 999", "politically_exposed": False}, "high"),
        ({"beneficial_owners": []}, "high"),
    ],
)
def test_the_risk_is_that_of_the_gravest_field(changes: dict[str, Any], risk: str) -> None:
    assert TOOL.risk_of(_asked(**changes)) == risk


@pytest.mark.usefixtures("records")
class TestThePreview:
    def _preview(self, **changes: Any) -> dict[str, Any]:
        assert TOOL.preview is not None
        return TOOL.preview(TOOL.parse(_asked(**changes)))

    def test_it_sets_the_live_record_beside_the_proposal(self) -> None:
        Customer.objects.filter(pk="C-1002").update(phone="+420 1111", country="SK")
        seen = self._preview(country="RS", risk_rating="medium")
        assert seen["sentence"] == "Change the country and risk rating of Ostrava Metals s.r.o."
        assert seen["rows"][0] == {
            "field": "country",
            "label": "Country",
            "now": "SK",
            "will_be": "RS",
            "sensitive": False,
            "same": False,
            "then": None,
            "moved": False,
        }
        assert seen["rows"][1]["same"] is True
        assert seen["rows"][1]["sensitive"] is True
        assert (seen["stale"], seen["read_version"], seen["customer"]["version"]) == (True, 1, 2)
        assert not seen["then_known"]

    def test_it_tells_what_changed_since_the_agent_read_the_record(self) -> None:
        read = {"customer": as_json(Customer.objects.get(pk="C-1002"))}
        Customer.objects.filter(pk="C-1002").update(
            country="SK", address="Elsewhere 1", last_reviewed_on="2026-11-02"
        )
        looking = Looking(version="1", outputs=lambda name: [{"customer": None}, "odd", read])
        arguments = TOOL.parse(_asked(country="RS", phone="+420 555 010 999"))
        seen = preview_of(TOOL, arguments, looking)
        rows = {row["field"]: row for row in seen["rows"]}
        country = rows["country"]
        assert (country["then"], country["now"], country["will_be"]) == ("CZ", "SK", "RS")
        assert country["moved"]
        assert not rows["phone"]["moved"]
        assert ("Address", "Výstavní 12, 702 00 Ostrava", "Elsewhere 1") in seen["moved"]
        assert ("Last reviewed", "2 November 2026") in [(one[0], one[2]) for one in seen["moved"]]

    def test_once_done_it_tells_what_was_and_what_became_and_warns_of_nothing(self) -> None:
        asked = _asked(country="RS", last_reviewed_on="2026-11-01", risk_rating="medium")
        looking = Looking(version="1", is_ahead=False, answer=run(TOOL.name, asked))
        Customer.objects.filter(pk="C-1002").update(country="SK")
        seen = preview_of(TOOL, TOOL.parse(asked), looking)
        assert (seen["stale"], seen["made"], seen["words"]) == (False, (1, 2), ("Was", "Became"))
        rows = {row["field"]: (row["now"], row["will_be"], row["same"]) for row in seen["rows"]}
        assert rows == {
            "country": ("CZ", "RS", False),
            "last_reviewed_on": ("17 February 2026", "1 November 2026", False),
            "risk_rating": ("medium", "medium", True),
        }

    @pytest.mark.parametrize("answer", [None, "odd", {"changes": 1}, {"settled_by": "rita"}])
    def test_over_and_not_done_it_warns_of_nothing_either(self, answer: Any) -> None:
        Customer.objects.filter(pk="C-1002").update(country="SK")
        looking = Looking(version="1", is_ahead=False, answer=answer)
        seen = preview_of(TOOL, TOOL.parse(_asked(country="RS")), looking)
        assert (seen["stale"], seen["made"], seen["words"][1]) == (False, None, "Was to become")

    def test_what_the_agent_read_of_another_version_or_customer_is_not_taken(self) -> None:
        other = {"customer": {**as_json(Customer.objects.get(pk="C-1001")), "version": 1}}
        newer = {"customer": {**as_json(Customer.objects.get(pk="C-1002")), "version": 7}}
        Customer.objects.filter(pk="C-1002").update(country="SK")
        looking = Looking(version="1", outputs=lambda name: [other, newer])
        seen = preview_of(TOOL, TOOL.parse(_asked(country="RS")), looking)
        assert (seen["stale"], seen["then_known"], seen["moved"]) == (True, False, [])

    def test_fields_that_stay_are_listed_apart(self) -> None:
        unchanged = dict(self._preview(country="SK")["unchanged"])
        assert "Country" not in unchanged
        assert unchanged["Address"] == "Výstavní 12, 702 00 Ostrava"
        assert unchanged["Politically exposed"] == "no"

    def test_values_are_shown_in_words(self) -> None:
        owners = [{"name": "Jan Novák", "share_percent": 60.5, "country": "CZ"}]
        rows = self._preview(beneficial_owners=owners, last_reviewed_on="2026-11-01")["rows"]
        assert [row["will_be"] for row in rows] == ["Jan Novák, 60.5 % (CZ)", "1 November 2026"]


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_record_at_once_are_made_one_after_the_other() -> None:
    """The rival waits for the lock, then sees the new version and is refused."""
    call_command("load_sample_data", verbosity=0)
    refused: list[str] = []

    def rival() -> None:
        try:
            run("update_customer_record", _asked(phone="+420 2222"))
        except ToolError as error:
            refused.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        TOOL.call(TOOL.parse(_asked(phone="+420 1111")), a_context())
        thread = threading.Thread(target=rival)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the rival did not wait for the lock"
    thread.join(10)
    assert refused == [
        "C-1002 is at version 2 now, you read version 1. Read the record again and judge anew."
    ]
    assert Customer.objects.get(pk="C-1002").phone == "+420 1111"
