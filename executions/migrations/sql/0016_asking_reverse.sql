CREATE OR REPLACE FUNCTION agent_reviews_check_outcome(review agent_reviews) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF review.status = 'approved' THEN
        IF review.expires_at <= clock_timestamp() THEN
            RAISE EXCEPTION 'review %: it expired at %', review.id, review.expires_at
                USING ERRCODE = 'check_violation';
        END IF;
        IF agentops_votes(review) < review.required_votes THEN
            RAISE EXCEPTION 'review %: % of % votes', review.id, agentops_votes(review),
                review.required_votes USING ERRCODE = 'check_violation';
        END IF;
    ELSIF review.status = 'rejected' AND NOT EXISTS (
        SELECT FROM agent_review_votes v WHERE v.review_id = review.id
          AND v.vote IN ('reject', 'happened', 'drop')) THEN
        RAISE EXCEPTION 'review %: nobody rejected it', review.id
            USING ERRCODE = 'check_violation';
    ELSIF review.status = 'expired'
          AND (review.expires_at IS NULL OR review.expires_at > clock_timestamp()) THEN
        RAISE EXCEPTION 'review %: it has not expired', review.id
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_reviews_check_outcome SET search_path = pg_catalog, %I,'
                   ' pg_temp', current_schema());
END $$;

DROP INDEX votes_asked;

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
        WHERE r.status IN ('approved', 'rejected')
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

COMMENT ON FUNCTION agent_health_metrics(text, timestamptz) IS $$How an agent does.
Counted are the executions of agent_type (NULL: all agents) that finished at or after since (NULL: ever), and their steps, calls and reviews. A figure whose denominator is empty is NULL, not 0.
executions: finished executions: completed, failed and cancelled
completed: of these, completed
failed: of these, failed
cancelled: of these, cancelled
completion_rate: completed ÷ executions
completion_rate_excl_cancelled: completed ÷ (completed + failed)
avg_steps: mean number of steps of the completed
median_steps: half of the completed took at most so many steps
p95_steps: 95 % of the completed took at most so many steps
step_efficiency: useful calls ÷ all calls; useful is one that succeeded and did not repeat another of its execution with the same tool and arguments
tool_success_rate: succeeded calls ÷ (succeeded + failed + in doubt); rejected, expired and cancelled ones never ran
human_review_rate: executions with at least one gated call ÷ executions
tokens_per_completion: tokens of all executions, failed and cancelled ones too ÷ completed
cost_usd_per_completion: dollars of all executions, failed and cancelled ones too ÷ completed; NULL when one ran on an LLM without a known price
unknown_cost_share: executions on an LLM without a known price ÷ executions
latency_total_p50_ms: milliseconds from launch to end, waiting for people included: half took at most so long
latency_total_p95_ms: the same, 95 %
latency_active_p50_ms: milliseconds a runner worked on it, without waiting for people: half took at most so long
latency_active_p95_ms: the same, 95 %
time_to_decision_p50_ms: milliseconds from a review's opening to its approval or rejection: half took at most so long; open and expired reviews are not in it
time_to_decision_p95_ms: the same, 95 %$$;
