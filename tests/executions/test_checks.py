"""Settings that would break a promise are refused at boot."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.core.checks import run_checks

from executions.agents import Agent
from tests.support.rehearsed_agent import Script


def ids(**options: Any) -> set[str | None]:
    return {message.id for message in run_checks(**options)}


@pytest.fixture
def queue(settings: Any) -> dict[str, Any]:
    settings.Q_CLUSTER = deepcopy(settings.Q_CLUSTER)
    return settings.Q_CLUSTER


def test_it_accepts_the_settings_as_they_are(db: None) -> None:
    assert not {id for id in ids(databases=["default"]) if id and id.startswith("executions.")}


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("orm", "other", "executions.E001"),
        ("broker_class", "django_q.brokers.orm.ORM", "executions.E002"),
        ("retry", 60, "executions.E003"),
        ("queue_limit", 9, "executions.E004"),
    ],
)
def test_it_refuses_a_queue_that_could_run_things_twice(
    queue: dict[str, Any], name: str, value: Any, id: str
) -> None:
    queue[name] = value

    assert id in ids()


def test_it_refuses_a_timeout_within_a_runners_slice(queue: dict[str, Any]) -> None:
    queue["ALT_CLUSTERS"]["agents"]["timeout"] = 60

    assert "executions.E005" in ids()


def test_it_refuses_a_cache_of_one_process(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    assert "executions.E006" in ids()


def test_it_refuses_an_agent_with_an_unknown_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(name="x", title="x", instructions="x", tools=("fly",), input_model=Script)
    monkeypatch.setattr("executions.checks.all_agents", lambda: [agent])

    assert "executions.E007" in ids()


def test_it_warns_of_a_sample_input_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(
        name="x", title="x", instructions="x", tools=(), input_model=Script,
        sample_input={"rehearse": 7},
    )  # fmt: skip
    monkeypatch.setattr("executions.checks.all_agents", lambda: [agent])

    assert "executions.W001" in ids()


def test_it_refuses_more_connections_than_postgres_has(db: None, settings: Any) -> None:
    settings.AGENTOPS_AGENT_WORKERS = 200

    assert "executions.E008" in ids(databases=["default"])
