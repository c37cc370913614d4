-- Old and new code on one database.

-- Which code can read an execution's rows (executions/core/row_format.py): a runner leaves newer
-- ones alone. Rows of plain SQL, and of the code before this column, are of the first format.
ALTER TABLE agent_executions ADD COLUMN row_format integer NOT NULL DEFAULT 1;

-- The fingerprint of the tool as the voter's page knew it; another one at the start: ask again.
ALTER TABLE agent_review_votes ADD COLUMN tool_version text;

-- As in 0002, and: a gate that was closed, or raised, after the call was written holds at its start.
CREATE OR REPLACE FUNCTION agent_tool_calls_check_start(call agent_tool_calls) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
    execution agent_executions;
    least integer;
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
    SELECT least_votes INTO least FROM agent_gated_tools WHERE tool_name = call.tool_name;
    IF NOT call.gated AND least IS NOT NULL THEN
        RAISE EXCEPTION 'call % of %: the tool needs approval since it was asked for',
            call.id, call.tool_name USING ERRCODE = 'check_violation';
    ELSIF NOT call.gated THEN
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
    ELSIF review.required_votes < least THEN
        RAISE EXCEPTION 'call % of %: the tool needs % votes since it was approved with %',
            call.id, call.tool_name, least, review.required_votes
            USING ERRCODE = 'check_violation';
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
