CREATE OR REPLACE FUNCTION agent_tool_calls_check_start(call agent_tool_calls) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
    execution agent_executions;
BEGIN
    -- the lock: a cancel that commits first is seen, one that comes later waits for this start
    SELECT * INTO execution FROM agent_executions WHERE id = call.execution_id FOR SHARE;
    IF execution.status <> 'running' OR execution.cancel_requested_at IS NOT NULL THEN
        RAISE EXCEPTION 'call % of %: its execution is % and may start nothing',
            call.id, call.tool_name,
            CASE WHEN execution.cancel_requested_at IS NULL THEN execution.status
                 ELSE 'being cancelled' END
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT call.gated THEN
        RETURN;
    END IF;
    SELECT * INTO review FROM agent_reviews WHERE id = call.review_id;
    IF review.id IS NULL THEN
        RAISE EXCEPTION 'call % of %: a gated call starts only under an approved review',
            call.id, call.tool_name USING ERRCODE = 'check_violation';
    ELSIF (review.call_id, review.input_digest)
          IS DISTINCT FROM (call.id, agentops_digest(call.tool_input)) THEN
        RAISE EXCEPTION 'call % of %: its review is of another call or of other arguments',
            call.id, call.tool_name USING ERRCODE = 'check_violation';
    ELSIF review.status <> 'approved' THEN
        RAISE EXCEPTION 'call % of %: its review is %, not approved',
            call.id, call.tool_name, review.status USING ERRCODE = 'check_violation';
    ELSIF review.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'call % of %: its approval expired at %',
            call.id, call.tool_name, review.expires_at USING ERRCODE = 'check_violation';
    ELSIF review.effective_at > clock_timestamp() THEN
        RAISE EXCEPTION 'call % of %: its approval can still be taken back until %',
            call.id, call.tool_name, review.effective_at USING ERRCODE = 'check_violation';
    ELSIF review.target_version IS DISTINCT FROM call.target_version THEN
        RAISE EXCEPTION 'call % of %: it was approved for another version of its target',
            call.id, call.tool_name USING ERRCODE = 'check_violation';
    ELSIF agentops_votes(review) < review.required_votes THEN  -- a voter was switched off since
        RAISE EXCEPTION 'call % of %: of its % votes only % still count', call.id,
            call.tool_name, review.required_votes, agentops_votes(review)
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_tool_calls_check_start SET search_path = pg_catalog, %I,'
                   ' pg_temp', current_schema());
END $$;

ALTER TABLE agent_review_votes DROP COLUMN tool_version;
ALTER TABLE agent_executions DROP COLUMN row_format;
