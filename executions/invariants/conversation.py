"""I10 and I11: the agent hears what people said, and its transcript can be built."""

from __future__ import annotations

from executions.invariants.rule import FINAL_CALLS, Invariant

UNTOLD_REJECTION = """
SELECT 'call ' || c.id,
    'it was rejected without a reason or a question that the agent would be told'
FROM agent_tool_calls c
WHERE c.status = 'rejected' AND NOT coalesce(c.tool_output ? 'redacted', false) AND NOT EXISTS (
    SELECT FROM agent_reviews r JOIN agent_review_votes v ON v.review_id = r.id
    WHERE r.call_id = c.id AND btrim(v.reason) <> ''
      AND v.reason = c.tool_output ->> CASE v.vote WHEN 'reject' THEN 'reason'
                                                   WHEN 'ask' THEN 'question' END)
"""

UNSIGNED_EDIT = """
SELECT 'call ' || c.id, 'its arguments are not those proposed, and nobody edited them'
FROM agent_tool_calls c
WHERE c.proposed_input IS DISTINCT FROM c.tool_input
  AND NOT coalesce(c.proposed_input ? 'redacted' OR c.tool_input ? 'redacted', false)
  AND NOT EXISTS (SELECT FROM agent_reviews r WHERE r.call_id = c.id
                  AND r.edited_by IS NOT NULL AND r.input_digest = c.input_digest)
"""

UNANSWERED = f"""
SELECT 'call ' || c.id, 'it is ' || c.status || ' although the LLM was asked again after it'
FROM agent_tool_calls c JOIN agent_executions e ON e.id = c.execution_id
WHERE c.status NOT IN {FINAL_CALLS} AND c.step_number < e.step_count
"""

DOUBLE_IDS = """
SELECT 'execution ' || c.execution_id,
    count(*) || ' calls have the id ' || quote_literal(left(c.provider_call_id, 80))
FROM agent_tool_calls c
GROUP BY c.execution_id, c.provider_call_id HAVING count(*) > 1 OR c.provider_call_id = ''
"""

# How many there are is I4's business.
OTHER_ORDER = """
SELECT 'step ' || s.step_number || ' of execution ' || s.execution_id,
    'its calls are not in the order in which the LLM asked for them'
FROM agent_steps s JOIN (
    SELECT execution_id, step_number, jsonb_agg(provider_call_id ORDER BY call_index) AS ids
    FROM agent_tool_calls GROUP BY execution_id, step_number
) c ON c.execution_id = s.execution_id AND c.step_number = s.step_number
CROSS JOIN LATERAL jsonb_path_query_array(s.response, 'lax $.calls[*].id') AS asked
WHERE asked <> c.ids AND jsonb_array_length(asked) = jsonb_array_length(c.ids)
"""

UNREADABLE = """
SELECT 'step ' || s.step_number || ' of execution ' || s.execution_id,
    'its response has no text, calls and reasoning that a resumed execution could read'
FROM agent_steps s
WHERE jsonb_typeof(s.response -> 'calls') IS DISTINCT FROM 'array'
   OR jsonb_typeof(s.response -> 'reasoning') IS DISTINCT FROM 'array'
   OR NOT s.response ? 'text'
   OR s.response @? 'lax $.calls[*] ? (!exists(@.id) || !exists(@.name) || !exists(@.arguments))'
"""

I10 = Invariant(
    name="I10",
    promise="the agent hears",
    counted="rejected or edited calls",
    count="SELECT count(*) FROM agent_tool_calls"
    " WHERE status = 'rejected' OR proposed_input IS DISTINCT FROM tool_input",
    rules=(UNTOLD_REJECTION, UNSIGNED_EDIT),
)

I11 = Invariant(
    name="I11",
    promise="the transcript is well-formed",
    counted="steps",
    count="SELECT count(*) FROM agent_steps",
    rules=(UNANSWERED, DOUBLE_IDS, OTHER_ORDER, UNREADABLE),
)
