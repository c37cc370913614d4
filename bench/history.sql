-- One chunk of history: executions %(first)s to %(last)s of %(all)s, the oldest first, with all
-- their rows as the engine and people would have left them. Triggers are off meanwhile.
-- Of a hundred, 74 completed alone, 16 with an approved letter, 8 failed and 2 were cancelled;
-- the last %(open)s of all still wait for somebody, and the %(recent)s before them ended today.

CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS call_id, gen_random_uuid() AS review_id,
    CASE WHEN n > %(all)s - %(open)s THEN 'awaiting_review' WHEN n %% 50 = 0 THEN 'cancelled'
         WHEN n %% 50 <= 4 THEN 'failed' ELSE 'completed' END AS status,
    n %% 50 BETWEEN 5 AND 12 OR n > %(all)s - %(open)s AS gated,
    CASE WHEN n > %(all)s - %(open)s THEN 3 ELSE 5 END AS steps,
    CASE WHEN n > %(all)s - %(open)s
         THEN now() - interval '12 hours' * (%(all)s - n + 1) / %(open)s - interval '1 minute'
         WHEN n > %(all)s - %(open)s - %(recent)s
         THEN now() - interval '23 hours' * (%(all)s - %(open)s - n + 1) / (%(recent)s + 1)
         ELSE now() - interval '1 day' - interval '1 year'
              * (%(all)s - %(open)s - %(recent)s - n + 1) / %(all)s END AS at
FROM generate_series(%(first)s, %(last)s) n;

INSERT INTO agent_executions (
    id, user_id, launched_by, agent_type, status, input_data, definition_id, limits, step_count,
    token_count, cost_usd, active_ms, created_at, updated_at, completed_at, result, error,
    stop_reason, cancel_requested_at, lease_token, open_reviews)
SELECT id, %(user)s, %(user)s, %(agent)s, status, jsonb_build_object('customer_id', 'C-' || n),
    %(definition)s, %(limits)s, steps, 1000 * steps, 0.0015 * steps, 500 * steps, at,
    at + interval '9 s', CASE WHEN status <> 'awaiting_review' THEN at + interval '9 s' END,
    CASE status WHEN 'completed' THEN jsonb_build_object('summary', 'Report ' || n) END,
    CASE status WHEN 'failed' THEN 'LLM_UNAVAILABLE: it did not answer'
                WHEN 'cancelled' THEN 'CANCELLED: system cancelled it' END,
    CASE status WHEN 'failed' THEN 'LLM_UNAVAILABLE' WHEN 'cancelled' THEN 'CANCELLED' END,
    CASE status WHEN 'cancelled' THEN at + interval '8.9 s' END,
    CASE WHEN gated AND status <> 'awaiting_review' THEN 2 ELSE 1 END,
    (status = 'awaiting_review')::int
FROM made ORDER BY id;

-- Two reads in each odd step but the last, one call in each even one; in the third a letter, where
-- people were asked.
CREATE TEMP TABLE asked ON COMMIT DROP AS
SELECT m.id, m.n, s AS step, c AS place, m.at + make_interval(secs => s) AS at,
    m.gated AND s = 3 AND c = 0 AS is_letter, m.call_id, m.review_id, m.status
FROM made m, generate_series(1, least(m.steps, 4)) s, generate_series(0, s %% 2) c
WHERE NOT (m.gated AND s = 3 AND c = 1);

INSERT INTO agent_steps (
    execution_id, step_number, llm, request_digest, response, finish_reason, input_tokens,
    output_tokens, total_tokens, cost_usd, latency_ms, created_at)
SELECT m.id, s, 'gpt-5-mini', encode(sha256((m.n || ':' || s)::bytea), 'hex'),
    jsonb_build_object('text', 'So far so good.', 'reasoning', '[]'::jsonb, 'calls', coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', 'call_' || s || '_' || a.place, 'name', CASE
            WHEN a.is_letter THEN 'send_email' ELSE 'read_customer_record' END, 'arguments', '{}')
            ORDER BY a.place)
        FROM generate_series(0, s %% 2) p
        JOIN LATERAL (SELECT p AS place, m.gated AND s = 3 AND p = 0 AS is_letter) a ON true
        WHERE s < 5 AND NOT (m.gated AND s = 3 AND p = 1)), '[]')),
    CASE WHEN s < 5 THEN 'tool_calls' ELSE 'stop' END, 900, 100, 1000, 0.0015, 500,
    m.at + make_interval(secs => s)
FROM made m, generate_series(1, m.steps) s ORDER BY m.id, s;

INSERT INTO agent_tool_calls (
    id, execution_id, step_number, call_index, tool_name, tool_input, proposed_input, tool_output,
    status, latency_ms, called_at, started_at, finished_at, provider_call_id, effect, gated,
    idempotency_key, review_id)
SELECT CASE WHEN is_letter THEN call_id ELSE gen_random_uuid() END, id, step, place,
    CASE WHEN is_letter THEN 'send_email' ELSE 'read_customer_record' END, input, input,
    CASE WHEN NOT waits THEN '{"found": "C-1001", "name": "Marlowe Shipping"}'::jsonb END,
    CASE WHEN waits THEN 'awaiting_review' ELSE 'succeeded' END,
    CASE WHEN NOT waits THEN 5 END, at, CASE WHEN NOT waits THEN at + interval '0.5 s' END,
    CASE WHEN NOT waits THEN at + interval '0.6 s' END, 'call_' || step || '_' || place,
    CASE WHEN is_letter THEN 'once' ELSE 'read' END, is_letter,
    CASE WHEN is_letter AND NOT waits THEN
        encode(sha256((id || ':' || step || ':' || place)::bytea), 'hex') END,
    CASE WHEN is_letter THEN review_id END
FROM asked, LATERAL (SELECT is_letter AND status = 'awaiting_review' AS waits,
    CASE WHEN is_letter THEN jsonb_build_object(
             'to', jsonb_build_array('ana.duarte@marlowe-shipping.example'),
             'subject', 'Letter ' || n, 'body', 'We looked.')
         ELSE jsonb_build_object('customer_id', 'C-' || n + step) END AS input) x
ORDER BY id, step, place;

INSERT INTO agent_reviews (
    id, call_id, execution_id, tool_name, input_digest, status, expires_at, created_at, decided_at,
    customer_id)
SELECT m.review_id, c.id, m.id, c.tool_name, c.input_digest,
    CASE c.status WHEN 'succeeded' THEN 'approved' ELSE 'open' END, m.at + interval '30 days',
    m.at + interval '3 s', CASE c.status WHEN 'succeeded' THEN m.at + interval '3.3 s' END,
    'C-' || 200001 + m.n %% 250
FROM made m JOIN agent_tool_calls c ON c.id = m.call_id WHERE m.gated ORDER BY m.id;

INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest, created_at)
SELECT r.id, %(reviewer)s, 'approve', r.input_digest, m.at + interval '3.2 s'
FROM made m JOIN agent_reviews r ON r.id = m.review_id WHERE r.status = 'approved';

CREATE TEMP TABLE chain ON COMMIT DROP AS
SELECT id, event, actor, detail, at + make_interval(secs => after) AS at,
    row_number() OVER (PARTITION BY id ORDER BY place) AS seq
FROM made, LATERAL (VALUES
    (1, true, 'launched', %(user)s, 0.0, jsonb_build_object('agent', %(agent)s, 'status', 'pending')),
    (2, true, 'running', NULL, 0.1, '{"from": "pending", "lease_token": 1, "steps": 0}'),
    (3, gated, 'review_open', NULL, 3, jsonb_build_object('review', review_id)),
    (4, gated, 'awaiting_review', NULL, 3.1, '{"from": "running", "lease_token": 1, "steps": 3}'),
    (5, gated AND steps = 5, 'voted_approve', %(reviewer)s, 3.2,
        jsonb_build_object('review', review_id)),
    (6, gated AND steps = 5, 'review_approved', NULL, 3.3, jsonb_build_object('review', review_id)),
    (7, gated AND steps = 5, 'pending', NULL, 3.3,
        '{"from": "awaiting_review", "lease_token": 1, "steps": 3}'),
    (8, gated AND steps = 5, 'running', NULL, 3.4, '{"from": "pending", "lease_token": 2, "steps": 3}'),
    (9, status = 'cancelled', 'cancel_requested', %(user)s, 8.9, '{}'),
    (10, steps = 5, status, NULL, 9, jsonb_build_object(
        'from', 'running', 'lease_token', CASE WHEN gated THEN 2 ELSE 1 END, 'steps', 5))
) told(place, is_told, event, actor, after, detail) WHERE is_told;
ANALYZE chain;

DO $$ BEGIN
    FOR place IN 1..9 LOOP
        INSERT INTO agent_audit (execution_id, seq, at, event, actor_id, detail, prev_hash, hash)
        SELECT c.id, c.seq, c.at, c.event, c.actor, c.detail, coalesce(b.hash, ''),
            agentops_audit_hash(coalesce(b.hash, ''), c.id, c.seq::int, c.at, c.event, c.actor,
                                c.detail)
        FROM chain c LEFT JOIN agent_audit b ON b.execution_id = c.id AND b.seq = c.seq - 1
        WHERE c.seq = place ORDER BY c.id;
    END LOOP;
END $$;
