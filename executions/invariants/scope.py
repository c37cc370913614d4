"""What an hourly check looks at: executions that have not ended, or lately, with all their rows.

They are copied into temporary tables under the tables' own names, which come before them: each
rule then works on thousands of rows that the planner knows, whatever the history is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

from executions.invariants.rule import UNFINISHED

# By LATERAL, because the planner else reads all the rows there ever were.
OF_AN_EXECUTION = """
    SELECT x.* FROM agent_executions e CROSS JOIN LATERAL (
        SELECT * FROM {table} y WHERE y.execution_id = e.id OFFSET 0) x"""
# In order: each is copied from the real table, beside the copies made before it.
COPIES = {
    "agent_executions": f"""
        SELECT * FROM agent_executions WHERE completed_at >= %(since)s
        UNION ALL SELECT * FROM agent_executions WHERE status IN {UNFINISHED}""",
    **{
        table: OF_AN_EXECUTION.format(table=table)
        for table in ("agent_steps", "agent_tool_calls", "agent_reviews", "agent_audit")
    },
    "agent_review_votes": """
        SELECT v.* FROM agent_review_votes v JOIN agent_reviews r ON r.id = v.review_id""",
}


@contextmanager
def only_in_scope(since: datetime | None) -> Iterator[None]:
    """Let the tables hold only what is in scope until the end of the block; None: everything."""
    if since is None:
        yield
        return
    with connection.cursor() as cursor:
        for table, rows in COPIES.items():
            cursor.execute(
                f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {rows}", {"since": since}
            )
            cursor.execute(f"ANALYZE pg_temp.{table}")
        # the metrics look for the calls of one execution at a time
        cursor.execute("CREATE INDEX ON pg_temp.agent_tool_calls (execution_id)")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join(f'pg_temp.{table}' for table in COPIES)}")
