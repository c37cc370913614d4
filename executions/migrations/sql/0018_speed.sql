-- Many figures at once, for the price of the longest window; and an index for it.

-- One key column: the planner then knows that rows lie in the order in which they ended.
CREATE INDEX executions_ended ON agent_executions (completed_at) INCLUDE (agent_type)
    WHERE completed_at IS NOT NULL;
DROP INDEX executions_finished;

-- The home of the metrics from now on; what each means stands in the comment of agent_health_metrics.
-- A row for each pair of agents[i] (NULL: all) and since[i] (NULL: ever), in their order. No pair
-- may begin before since[1]: each execution is read once, from there on.
--
-- Its calls are read by LATERAL, because the planner else reads all calls there ever were.
CREATE FUNCTION agent_health_of(agents text[], since timestamptz[])
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
    WITH wanted AS (
        SELECT w.agent, coalesce(w.begins, '-infinity') AS begins, w.place
        FROM unnest(agent_health_of.agents, agent_health_of.since)
            WITH ORDINALITY AS w(agent, begins, place)
    ), finished AS MATERIALIZED (
        SELECT e.id, e.agent_type, e.completed_at, e.status, e.step_count, e.token_count,
               e.cost_usd, e.active_ms, called.*,
               extract(epoch FROM e.completed_at - e.created_at) * 1000 AS total_ms
        FROM agent_executions e CROSS JOIN LATERAL (
            SELECT count(*) AS calls,
                   count(*) FILTER (WHERE c.status = 'succeeded') AS succeeded,
                   count(*) FILTER (WHERE c.status IN ('succeeded', 'failed', 'in_doubt')) AS tried,
                   count(DISTINCT (c.tool_name, c.input_digest))
                       FILTER (WHERE c.status = 'succeeded') AS useful,
                   coalesce(bool_or(c.gated), false) AS is_gated
            FROM agent_tool_calls c WHERE c.execution_id = e.id) called
        WHERE e.completed_at >= coalesce(agent_health_of.since[1], '-infinity')
          AND (array_position(agent_health_of.agents, NULL) IS NOT NULL
               OR e.agent_type = ANY (agent_health_of.agents))
    ), ended AS (
        SELECT w.place,
               count(f.id) AS all_of_them,
               count(*) FILTER (WHERE f.status = 'completed') AS completed,
               count(*) FILTER (WHERE f.status = 'failed') AS failed,
               count(*) FILTER (WHERE f.status = 'cancelled') AS cancelled,
               avg(f.step_count) FILTER (WHERE f.status = 'completed') AS avg_steps,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.step_count)
                   FILTER (WHERE f.status = 'completed') AS steps,
               sum(f.token_count) AS tokens,
               sum(f.cost_usd) AS cost_usd,
               count(f.id) FILTER (WHERE f.cost_usd IS NULL) AS cost_unknown,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.total_ms) AS total_ms,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY f.active_ms) AS active_ms,
               sum(f.calls) AS calls,
               sum(f.succeeded) AS succeeded,
               sum(f.tried) AS tried,
               sum(f.useful) AS useful,
               count(*) FILTER (WHERE f.is_gated) AS executions_gated
        FROM wanted w LEFT JOIN finished f
            ON f.completed_at >= w.begins AND f.agent_type = coalesce(w.agent, f.agent_type)
        GROUP BY w.place
    ), decisions AS MATERIALIZED (
        SELECT f.agent_type, f.completed_at,
               extract(epoch FROM r.decided_at - r.created_at) * 1000 AS ms
        FROM finished f JOIN agent_reviews r ON r.execution_id = f.id
        WHERE r.status IN ('approved', 'rejected') AND NOT EXISTS (
            SELECT FROM agent_review_votes v WHERE v.review_id = r.id AND v.vote = 'ask')
    ), decided AS (
        SELECT w.place,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY d.ms) AS ms
        FROM wanted w JOIN decisions d
            ON d.completed_at >= w.begins AND d.agent_type = coalesce(w.agent, d.agent_type)
        GROUP BY w.place
    )
    SELECT e.all_of_them,
           e.completed,
           e.failed,
           e.cancelled,
           round(e.completed / nullif(e.all_of_them, 0)::numeric, 6),
           round(e.completed / nullif(e.completed + e.failed, 0)::numeric, 6),
           round(e.avg_steps, 2),
           round(e.steps[1]::numeric, 2),
           round(e.steps[2]::numeric, 2),
           round(e.useful / nullif(e.calls, 0), 6),
           round(e.succeeded / nullif(e.tried, 0), 6),
           round(e.executions_gated / nullif(e.all_of_them, 0)::numeric, 6),
           round(e.tokens / nullif(e.completed, 0)::numeric, 2),
           CASE WHEN e.cost_unknown = 0
                THEN round(e.cost_usd / nullif(e.completed, 0), 6) END,
           round(e.cost_unknown / nullif(e.all_of_them, 0)::numeric, 6),
           round(e.total_ms[1]::numeric),
           round(e.total_ms[2]::numeric),
           round(e.active_ms[1]::numeric),
           round(e.active_ms[2]::numeric),
           round(d.ms[1]::numeric),
           round(d.ms[2]::numeric)
    FROM ended e LEFT JOIN decided d ON d.place = e.place
    ORDER BY e.place
$$;
COMMENT ON FUNCTION agent_health_of(text[], timestamptz[]) IS
    'agent_health_metrics for several pairs of agent and moment at once, the earliest moment first';

CREATE OR REPLACE FUNCTION agent_health_metrics(
    agent_type text DEFAULT NULL, since timestamptz DEFAULT NULL
)
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
    SELECT * FROM agent_health_of(
        ARRAY[agent_health_metrics.agent_type], ARRAY[agent_health_metrics.since])
$$;
