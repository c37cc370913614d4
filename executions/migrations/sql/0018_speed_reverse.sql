CREATE INDEX executions_finished ON agent_executions (completed_at, agent_type)
    WHERE completed_at IS NOT NULL;
DROP INDEX executions_ended;

CREATE OR REPLACE FUNCTION agent_health_metrics(agent_type text DEFAULT NULL, since timestamptz DEFAULT NULL)
RETURNS TABLE (
    executions                     bigint,
    completed                      bigint,
    failed                         bigint,
    cancelled                      bigint,
    completion_rate                numeric,
    completion_rate_excl_cancelled numeric,
    avg_steps                      numeric,
    median_steps                   numeric,
    p95_steps                      numeric,
    step_efficiency                numeric,
    tool_success_rate              numeric,
    human_review_rate              numeric,
    tokens_per_completion          numeric,
    cost_usd_per_completion        numeric,
    unknown_cost_share             numeric,
    latency_total_p50_ms           numeric,
    latency_total_p95_ms           numeric,
    latency_active_p50_ms          numeric,
    latency_active_p95_ms          numeric,
    time_to_decision_p50_ms        numeric,
    time_to_decision_p95_ms        numeric
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH finished AS (
        SELECT e.id, e.status, e.step_count, e.token_count, e.cost_usd, e.active_ms,
               extract(epoch FROM e.completed_at - e.created_at) * 1000 AS total_ms
        FROM agent_executions e
        WHERE e.completed_at >= coalesce(agent_health_metrics.since, '-infinity')
          AND (agent_health_metrics.agent_type IS NULL
               OR e.agent_type = agent_health_metrics.agent_type)
    ), ended AS (
        SELECT count(*) AS all_of_them,
               count(*) FILTER (WHERE f.status = 'completed') AS completed,
               count(*) FILTER (WHERE f.status = 'failed') AS failed,
               count(*) FILTER (WHERE f.status = 'cancelled') AS cancelled,
               avg(f.step_count) FILTER (WHERE f.status = 'completed') AS avg_steps,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.step_count)
                   FILTER (WHERE f.status = 'completed') AS steps,
               sum(f.token_count) AS tokens,
               sum(f.cost_usd) AS cost_usd,
               count(*) FILTER (WHERE f.cost_usd IS NULL) AS cost_unknown,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.total_ms) AS total_ms,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.active_ms) AS active_ms
        FROM finished f
    ), called AS (
        SELECT count(*) AS all_of_them,
               count(*) FILTER (WHERE c.status = 'succeeded') AS succeeded,
               count(*) FILTER (WHERE c.status IN ('succeeded', 'failed', 'in_doubt')) AS tried,
               count(DISTINCT (c.execution_id, c.tool_name, c.input_digest))
                   FILTER (WHERE c.status = 'succeeded') AS useful,
               count(DISTINCT c.execution_id) FILTER (WHERE c.gated) AS executions_gated
        FROM agent_tool_calls c JOIN finished f ON f.id = c.execution_id
    ), decided AS (
        SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
                   ORDER BY extract(epoch FROM r.decided_at - r.created_at) * 1000) AS ms
        FROM agent_reviews r JOIN finished f ON f.id = r.execution_id
        WHERE r.status IN ('approved', 'rejected') AND NOT EXISTS (
            SELECT FROM agent_review_votes v WHERE v.review_id = r.id AND v.vote = 'ask')
    )
    SELECT ended.all_of_them,
           ended.completed,
           ended.failed,
           ended.cancelled,
           round(ended.completed / nullif(ended.all_of_them, 0)::numeric, 6),
           round(ended.completed / nullif(ended.completed + ended.failed, 0)::numeric, 6),
           round(ended.avg_steps, 2),
           round(ended.steps[1]::numeric, 2),
           round(ended.steps[2]::numeric, 2),
           round(called.useful / nullif(called.all_of_them, 0)::numeric, 6),
           round(called.succeeded / nullif(called.tried, 0)::numeric, 6),
           round(called.executions_gated / nullif(ended.all_of_them, 0)::numeric, 6),
           round(ended.tokens / nullif(ended.completed, 0)::numeric, 2),
           CASE WHEN ended.cost_unknown = 0
                THEN round(ended.cost_usd / nullif(ended.completed, 0), 6) END,
           round(ended.cost_unknown / nullif(ended.all_of_them, 0)::numeric, 6),
           round(ended.total_ms[1]::numeric),
           round(ended.total_ms[2]::numeric),
           round(ended.active_ms[1]::numeric),
           round(ended.active_ms[2]::numeric),
           round(decided.ms[1]::numeric),
           round(decided.ms[2]::numeric)
    FROM ended, called, decided
$$;

DROP FUNCTION agent_health_of(text[], timestamptz[]);
