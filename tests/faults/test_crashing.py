"""The crash proofs' own machinery: what dies does nothing any more, and others take over."""

from __future__ import annotations

import psycopg
import pytest

from executions.engine.connections import parameters
from executions.models import AgentRunner
from tests.faults.crashing import Fault, Mode, terminate
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Stage

LETTER = SCENARIOS[0]


@pytest.mark.parametrize("point", ["claim.after", "send_email.before", "CallEnded.before"])
def test_a_runner_that_dies_in_its_loop_or_in_a_thread_is_followed_by_another(
    stage: Stage, point: str
) -> None:
    played = stage.play(LETTER, [Fault(point, 1, Mode.DIE)])

    assert played.fired == [Fault(point, 1, Mode.DIE)]
    assert played.deaths == 1
    assert AgentRunner.objects.count() > 2
    assert len(played.letters) == 1
    stage.check()


def test_after_a_death_no_point_of_that_life_is_reached(stage: Stage) -> None:
    played = stage.play(LETTER, [Fault("StepMade.before", 1, Mode.DIE)])

    names = [place.point for place in played.places]
    died_at = names.index("StepMade.before")
    assert names[died_at + 1] == "recover.before"  # housekeeping's, which is another process
    assert played.requests[0]["body"] == played.requests[1]["body"]  # asked again, once


def test_a_kept_connection_holds_nothing_of_who_closed_it(stage: Stage) -> None:
    first = psycopg.connect(**parameters(), autocommit=True)
    pid = first.info.backend_pid
    first.execute("SELECT pg_advisory_lock(1, 1)")
    first.execute("LISTEN agentops_wake")
    first.execute("SET enable_seqscan = off")
    first.execute("SELECT pg_notify('agentops_wake', '')")
    first.close()

    with psycopg.connect(**parameters(), autocommit=True) as again:
        assert again.info.backend_pid == pid
        held = "SELECT count(*) FROM pg_locks WHERE pid = %s AND locktype = 'advisory'"
        assert again.execute(held, [pid]).fetchone() == (0,)
        assert again.execute("SELECT count(*) FROM pg_listening_channels()").fetchone() == (0,)
        assert again.execute("SHOW enable_seqscan").fetchone() == ("on",)
        assert not list(again.notifies(timeout=0))
    with pytest.raises(psycopg.OperationalError, match="closed"):
        first.execute("SELECT 1")


def test_a_connection_that_died_in_a_transaction_is_really_closed(stage: Stage) -> None:
    first = psycopg.connect(**parameters())
    pid = first.execute("SELECT pg_backend_pid()").fetchone()
    first.close()

    with psycopg.connect(**parameters()) as other:
        assert other.execute("SELECT pg_backend_pid()").fetchone() != pid


def test_a_connection_that_its_server_ended_is_not_lent_again(stage: Stage) -> None:
    first = psycopg.connect(**parameters(), autocommit=True)
    terminate(first)
    first.close()

    with psycopg.connect(**parameters(), autocommit=True) as other:
        assert other.execute("SELECT 1").fetchone() == (1,)
