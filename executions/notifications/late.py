"""Reviews that wait for long: when those who may decide are reminded, and when a group is told.

Time is the database's. Nothing here decides: what nobody decides expires, whoever was told.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.db import connection

from executions.commits import commit
from executions.models import AgentReview
from tools.approval import AS_THE_SITE, Late
from tools.registry import TOOLS

# of several reminders that fell due while nobody looked, the last one is enough
REMIND = """
INSERT INTO agent_notifications (review_id, stage, at_percent, is_urgent)
SELECT DISTINCT ON (r.id) r.id, 'reminded', late.percent, r.risk = 'high'
FROM agent_reviews r JOIN unnest(%s::text[], %s::int[]) AS late (tool_name, percent)
    ON late.tool_name = r.tool_name
WHERE r.status = 'open' AND r.expires_at > clock_timestamp()
  AND r.created_at + (r.expires_at - r.created_at) * (late.percent / 100.0)::float8
      <= clock_timestamp()
  AND NOT EXISTS (SELECT FROM agent_notifications n WHERE n.review_id = r.id
                  AND n.stage = 'reminded' AND n.at_percent >= late.percent)
ORDER BY r.id, late.percent DESC
ON CONFLICT DO NOTHING
"""
ESCALATE = """
INSERT INTO agent_notifications (review_id, stage, is_urgent)
SELECT r.id, 'escalated', true
FROM agent_reviews r JOIN unnest(%s::text[], %s::int[]) AS late (tool_name, sla_s)
    ON late.tool_name = r.tool_name
WHERE r.status = 'open' AND (r.expires_at > clock_timestamp() OR r.expires_at IS NULL)
  AND (r.created_at + (r.expires_at - r.created_at) * 0.75 <= clock_timestamp()
       OR (r.risk = 'high' OR r.kind = 'doubt')
          AND r.created_at + make_interval(secs => late.sla_s) <= clock_timestamp())
  AND NOT EXISTS (SELECT FROM agent_notifications n
                  WHERE n.review_id = r.id AND n.stage = 'escalated')
ON CONFLICT DO NOTHING
"""


def late_of(tool_name: str) -> Late:
    """Return what the tool, which may be gone by now, or else the site wants."""
    tool = TOOLS.get(tool_name)
    own = tool.approval.late if tool else AS_THE_SITE
    return replace(
        own,
        remind_at=settings.AGENTOPS_REMIND_AT if own.remind_at is None else own.remind_at,
        escalate_to=own.escalate_to or settings.AGENTOPS_ESCALATION_GROUP,
        sla_s=own.sla_s or settings.AGENTOPS_SLA_MIN * 60,
    )


def fall_due() -> dict[str, int]:
    """Put into the outbox what is due by now; return how many of each stage."""
    waiting = AgentReview.objects.open().values_list("tool_name", flat=True)
    late = {name: late_of(name) for name in waiting.distinct()}
    remind = [(name, percent) for name, one in late.items() for percent in one.remind_at or ()]
    escalate = [(name, one.sla_s) for name, one in late.items() if one.escalate_to]
    found = {}
    with commit("remind"), connection.cursor() as cursor:
        for stage, statement, pairs in (
            ("reminded", REMIND, remind),
            ("escalated", ESCALATE, escalate),
        ):
            cursor.execute(statement, [[name for name, _ in pairs], [n for _, n in pairs]])
            found[stage] = cursor.rowcount
    return found
