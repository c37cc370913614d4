"""Hourly: the audit trail is sealed, the promises verified, and the pages say so."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from executions.engine.seals import seal_audit
from executions.housekeeping import each_hour
from executions.invariants import verify
from executions.models import AgentAudit, AgentAuditSeal, AgentAuditSealed, AgentInvariantCheck
from tests import factories
from tests.executions import stories
from tests.executions.shell import run
from tests.executions.stories import Everything, broken, plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> Everything:
    return stories.everything()


def test_an_empty_database_breaks_no_promise() -> None:
    assert broken() == {}
    assert broken(hours=1) == {}


def test_a_seal_covers_every_head_and_counts_all_events(rows: Everything) -> None:
    seal_audit()
    seal = AgentAuditSeal.objects.get()
    assert (seal.executions, seal.prev_hash) == (6, "")
    assert seal.events == AgentAudit.objects.count()
    heads = {(head.execution_id, head.seq, head.hash) for head in seal.heads.all()}
    newest = AgentAudit.objects.order_by("execution_id", "-seq").distinct("execution_id")
    assert heads == {(one.execution_id, one.seq, one.hash) for one in newest}


def test_the_next_seal_reads_only_chains_that_moved_and_follows_the_last(
    rows: Everything,
) -> None:
    seal_audit()
    stories.launched(rows.olga)
    stories.claim(rows.pending, rows.runner)
    seal_audit()
    first, second = AgentAuditSeal.objects.order_by("id")
    assert second.prev_hash == first.heads_hash
    assert (second.executions, second.events) == (first.executions + 1, first.events + 2)
    assert second.heads.count() == 2
    assert broken(only=["I12"]) == {}


def test_an_hour_without_events_is_sealed_too(rows: Everything) -> None:
    seal_audit()
    seal_audit()
    first, second = AgentAuditSeal.objects.order_by("id")
    assert second.events == first.events
    assert second.heads_hash != first.heads_hash
    assert not second.heads.exists()
    assert broken(only=["I12"]) == {}


def test_a_tail_cut_off_after_its_seal_is_named_hourly_too(rows: Everything) -> None:
    seal_audit()
    values = {"id": rows.awaiting.pk}
    plant("DELETE FROM agent_audit WHERE execution_id = %(id)s AND seq > 3", values)
    plant("UPDATE agent_executions SET status = 'running', lease_owner = gen_random_uuid()"
          " WHERE id = %(id)s", values)  # fmt: skip
    for hours in (None, 1.0):
        (found,) = broken(only=["I12"], hours=hours).values()
        assert {one.row for one in found.examples} == {f"execution {rows.awaiting.pk}"}
        assert "was sealed, and is gone" in found.examples[0].what


def exported(tmp_path: Path) -> str:
    ran = run("export_audit_seal")
    assert ran.status == 0
    file = tmp_path / "seal.json"
    file.write_text(ran.out)
    return str(file)


def test_an_exported_seal_shows_history_rewritten_together_with_its_seals(
    rows: Everything, tmp_path: Path
) -> None:
    """Whoever owns the tables can make all seals anew, but not the one that lies elsewhere."""
    assert run("export_audit_seal").status == 2
    seal_audit()
    kept = exported(tmp_path)
    assert run("check_invariants", "--only", "I12", "--seal", kept).status == 0
    plant("DELETE FROM agent_audit_sealed", {})
    plant("DELETE FROM agent_audit_seals", {})
    plant("ALTER TABLE agent_audit_seals ALTER id RESTART", {})
    stories.launched(rows.olga)
    seal_audit()
    assert run("check_invariants", "--only", "I12").status == 0
    found = run("check_invariants", "--only", "I12", "--seal", kept)
    assert found.status == 1
    assert f"seal {json.loads(Path(kept).read_text())['id']}: it " in found.out


def test_a_file_that_is_no_seal_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "seal.json"
    file.write_text('{"id": 1}\n')
    assert "is no exported seal" in run("check_invariants", "--seal", str(file)).err


def test_each_hour_seals_verifies_and_keeps_what_was_found(
    rows: Everything, caplog: pytest.LogCaptureFixture
) -> None:
    assert each_hour() == {"seal": AgentAuditSeal.objects.get().pk, "broken": 0}
    plant("UPDATE agent_executions SET open_reviews = 3 WHERE id = %(id)s",
          {"id": rows.awaiting.pk})  # fmt: skip
    with caplog.at_level(logging.ERROR):
        assert each_hour()["broken"] == 1
    assert (
        f"I14 is broken (counts agree): 1 violations; execution {rows.awaiting.pk}" in caplog.text
    )
    good, bad = AgentInvariantCheck.objects.order_by("id")
    assert (good.broken, good.findings, good.hours) == (0, [], 24.0)
    assert [one["name"] for one in bad.findings] == ["I14"]


def test_the_metrics_page_says_when_the_promises_were_verified(
    client: Client, rows: Everything
) -> None:
    client.force_login(factories.person("ops", may=["view_agentexecution"]))

    def page() -> str:
        return str(client.get(reverse("metrics")).content.decode())

    assert "Nobody has verified the promises yet" in page()
    each_hour()
    assert "Every promise was kept when last verified" in page()
    plant("UPDATE agent_invariant_checks SET at = at - interval '3 hours'", {})
    assert "Not verified lately" in page()
    plant("UPDATE agent_executions SET open_reviews = 3 WHERE id = %(id)s",
          {"id": rows.awaiting.pk})  # fmt: skip
    each_hour()
    told = page()
    assert "1 promise broken" in told
    assert "it counts 3 open reviews, and has 1" in told


def test_an_old_ledger_entry_is_known_although_its_call_is_out_of_scope(
    rows: Everything, tmp_path: Path
) -> None:
    filing: Any = rows.call("submit_to_regulator")
    plant("UPDATE agent_executions SET completed_at = completed_at - interval '2 days'"
          " WHERE id = %(id)s", {"id": rows.completed.pk})  # fmt: skip
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(json.dumps({"key": filing.idempotency_key}))
    ran = run("check_invariants", "--only", "I6", "--hours", "1", "--ledger", str(ledger))
    assert ran.status == 0, ran.out


def test_nothing_temporary_is_left_after_an_hourly_check(rows: Everything) -> None:
    list(verify(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        assert cursor.fetchall() == []
    assert AgentAuditSealed.objects.count() == 0
