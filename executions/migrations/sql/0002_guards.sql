-- What must never happen, refused by the database itself, whoever asks.
-- Python decides whom to ask and when; these triggers hold even when Python is wrong.
-- This file: moves, executions, tool calls. Then 0002_reviews.sql and 0002_kept.sql.

-- A maintenance function (redaction, retention) owned by the tables' owner may pass some freezes
-- by setting this flag for its transaction (0002_kept.sql says which); the flag alone, set by a
-- role that does not own the tables, does nothing.
CREATE FUNCTION agentops_in_maintenance(relation regclass) RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(current_setting('agentops.maintenance', true), '') = 'on'
       AND (SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = relation);

-- The legal moves. executions/core/states.py is their home; a test compares every pair.
CREATE FUNCTION agentops_may_move(subject text, from_status text, to_status text)
    RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE subject
    WHEN 'execution' THEN CASE from_status
        WHEN 'pending' THEN to_status IN ('running', 'cancelled')
        WHEN 'running' THEN to_status IN (
            'pending', 'awaiting_review', 'completed', 'failed', 'cancelled')
        WHEN 'awaiting_review' THEN to_status IN ('pending', 'cancelled')
        ELSE false END
    WHEN 'call' THEN CASE from_status
        WHEN 'pending' THEN to_status IN ('running', 'failed', 'cancelled')
        WHEN 'awaiting_review' THEN to_status IN ('approved', 'rejected', 'expired', 'cancelled')
        WHEN 'approved' THEN to_status IN (
            'running', 'awaiting_review', 'in_doubt', 'failed', 'expired', 'cancelled')
        WHEN 'running' THEN to_status IN ('succeeded', 'failed', 'in_doubt', 'cancelled')
        WHEN 'in_doubt' THEN to_status IN ('succeeded', 'approved', 'cancelled')
        ELSE false END
    WHEN 'review' THEN CASE from_status
        WHEN 'open' THEN to_status IN ('approved', 'rejected', 'expired', 'void')
        WHEN 'approved' THEN to_status IN ('expired', 'void')
        ELSE false END
    ELSE false END;

-- ---------------------------------------------------------------- executions

CREATE FUNCTION agent_executions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    IF NEW.status <> OLD.status
       AND NOT agentops_may_move('execution', OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'execution %: no way from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.step_count NOT IN (OLD.step_count, OLD.step_count + 1) THEN
        RAISE EXCEPTION 'execution %: steps rise one by one, not from % to %',
            OLD.id, OLD.step_count, NEW.step_count USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.lease_token < OLD.lease_token OR NEW.token_count < OLD.token_count THEN
        RAISE EXCEPTION 'execution %: lease token and token count never fall', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.lease_owner IS DISTINCT FROM OLD.lease_owner AND NEW.lease_owner IS NOT NULL
       AND NEW.lease_token = OLD.lease_token THEN
        RAISE EXCEPTION 'execution %: who takes it raises its lease token', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cancel_requested_at IS NULL AND OLD.cancel_requested_at IS NOT NULL THEN
        RAISE EXCEPTION 'execution %: a cancel is never taken back', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.completed_at IS NOT NULL
       AND (NEW.completed_at, NEW.stop_reason, NEW.step_count, NEW.token_count, NEW.cost_usd,
            NEW.active_ms, NEW.lease_token)
           IS DISTINCT FROM
           (OLD.completed_at, OLD.stop_reason, OLD.step_count, OLD.token_count, OLD.cost_usd,
            OLD.active_ms, OLD.lease_token) THEN
        RAISE EXCEPTION 'execution %: it is % and final', OLD.id, OLD.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON agent_executions
    FOR EACH ROW EXECUTE FUNCTION agent_executions_guard();

-- Apart, and only for statements that name these columns: comparing payloads costs.
CREATE FUNCTION agent_executions_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF agentops_in_maintenance(TG_RELID) THEN
        PERFORM agentops_check_redaction(to_jsonb(OLD), to_jsonb(NEW), OLD.id,
            '{input_data,state,result,error,updated_at}');
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.user_id, NEW.agent_type, NEW.launched_by, NEW.input_data,
        NEW.idempotency_key, NEW.retry_of)
       IS DISTINCT FROM
       (OLD.id, OLD.user_id, OLD.agent_type, OLD.launched_by, OLD.input_data,
        OLD.idempotency_key, OLD.retry_of) THEN
        RAISE EXCEPTION 'execution %: user, agent, launcher and input are frozen', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.definition_id IS NOT NULL
       AND (NEW.definition_id, NEW.limits) IS DISTINCT FROM (OLD.definition_id, OLD.limits) THEN
        RAISE EXCEPTION 'execution %: its definition and limits are those of its launch', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.completed_at IS NOT NULL
       AND (NEW.result, NEW.error) IS DISTINCT FROM (OLD.result, OLD.error) THEN
        RAISE EXCEPTION 'execution %: it is % and final', OLD.id, OLD.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OF id, user_id, agent_type, launched_by, input_data,
    idempotency_key, retry_of, definition_id, limits, result, error
    ON agent_executions FOR EACH ROW EXECUTE FUNCTION agent_executions_frozen();

CREATE FUNCTION agent_executions_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'pending' THEN
        PERFORM pg_notify('agentops_wake', '');
    END IF;
    IF NEW.cancel_requested_at IS NOT NULL AND NEW.status = 'running' THEN
        PERFORM pg_notify('agentops_cancel', NEW.id::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_launch AFTER INSERT ON agent_executions
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION agent_executions_notify();
CREATE TRIGGER notify_change AFTER UPDATE OF status, cancel_requested_at ON agent_executions
    FOR EACH ROW WHEN (
        (NEW.status = 'pending' AND OLD.status <> 'pending')
        OR NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at)
    EXECUTE FUNCTION agent_executions_notify();

-- ---------------------------------------------------------------- tool calls

CREATE FUNCTION agent_tool_calls_check_start(call agent_tool_calls) RETURNS void
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

CREATE FUNCTION agent_tool_calls_guard_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NOT NEW.gated OR NEW.effect = 'read')
       AND EXISTS (SELECT FROM agent_gated_tools t WHERE t.tool_name = NEW.tool_name) THEN
        NEW.gated := true;
        -- a read runs again after a crash; one that failed unread never ran
        IF NEW.effect = 'read' AND NEW.status <> 'failed' THEN
            RAISE EXCEPTION '% is always gated: it changes something and is no read', NEW.tool_name
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.proposed_input IS NULL THEN
        NEW.proposed_input := NEW.tool_input;
    END IF;
    IF NEW.started_at IS NOT NULL AND (NEW.gated OR NEW.effect <> 'read') THEN
        PERFORM agent_tool_calls_check_start(NEW);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_insert BEFORE INSERT ON agent_tool_calls
    FOR EACH ROW EXECUTE FUNCTION agent_tool_calls_guard_insert();

-- What people say becomes the call's status only together with the review or vote that says it.
CREATE FUNCTION agent_tool_calls_check_people(was agent_tool_calls, call agent_tool_calls)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
BEGIN
    SELECT * INTO review FROM agent_reviews r WHERE r.id = call.review_id AND r.call_id = call.id;
    IF was.status = 'in_doubt' THEN
        IF call.status = 'approved' AND (review.status, review.kind) = ('approved', 'doubt')
           AND call.review_id IS DISTINCT FROM was.review_id AND NOT EXISTS (
               SELECT FROM agent_reviews newer
               WHERE newer.call_id = call.id AND newer.version > review.version) THEN
            RETURN;
        END IF;
        IF call.status <> 'approved' AND EXISTS (
            SELECT FROM agent_reviews r JOIN agent_review_votes v ON v.review_id = r.id
            WHERE r.call_id = call.id AND r.kind = 'doubt'
              AND v.vote = CASE call.status WHEN 'succeeded' THEN 'happened' ELSE 'drop' END) THEN
            RETURN;
        END IF;
        RAISE EXCEPTION 'call % of %: it is in doubt, and nobody settled it as %',
            call.id, call.tool_name, call.status USING ERRCODE = 'check_violation';
    END IF;
    IF review.status IS DISTINCT FROM
       (CASE call.status WHEN 'awaiting_review' THEN 'open' ELSE call.status END) THEN
        RAISE EXCEPTION 'call % of %: it cannot be %, its review is %', call.id, call.tool_name,
            call.status, coalesce(review.status, 'missing') USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION agent_tool_calls_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('agentops.maintenance', true) = 'on'
       AND agentops_in_maintenance(TG_RELID) THEN
        PERFORM agentops_check_redaction(to_jsonb(OLD), to_jsonb(NEW), OLD.execution_id,
            '{tool_input,proposed_input,tool_output,error,input_digest,review_status}');
        RETURN NEW;
    END IF;
    IF NEW.status <> OLD.status AND NOT agentops_may_move('call', OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'call % of %: no way from % to %',
            OLD.id, OLD.tool_name, OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status IN ('succeeded', 'failed', 'rejected', 'expired', 'cancelled') THEN
        RAISE EXCEPTION 'call % of %: it is % and final',
            OLD.id, OLD.tool_name, OLD.status USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.started_at IS NOT NULL
       AND ((NEW.started_at, NEW.target_version) IS DISTINCT FROM (OLD.started_at, OLD.target_version)
            OR NEW.review_id IS DISTINCT FROM OLD.review_id AND OLD.status <> 'in_doubt')
       OR OLD.idempotency_key IS NOT NULL
          AND NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key THEN
        RAISE EXCEPTION 'call % of %: its start, its key and what it started under are frozen',
            OLD.id, OLD.tool_name USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status = 'in_doubt'
       OR NEW.status IN ('awaiting_review', 'approved', 'rejected', 'expired')) THEN
        PERFORM agent_tool_calls_check_people(OLD, NEW);
    END IF;
    IF NEW.status = 'running' AND OLD.status <> 'running' AND NEW.effect <> 'read'
       OR NEW.started_at IS NOT NULL AND OLD.started_at IS NULL AND NEW.gated THEN
        PERFORM agent_tool_calls_check_start(NEW);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON agent_tool_calls
    FOR EACH ROW EXECUTE FUNCTION agent_tool_calls_guard();

CREATE FUNCTION agent_tool_calls_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF agentops_in_maintenance(TG_RELID) THEN
        RETURN NEW;  -- the guard looks at everything then
    END IF;
    IF (NEW.id, NEW.execution_id, NEW.step_number, NEW.call_index, NEW.tool_name, NEW.effect,
        NEW.gated, NEW.proposed_input, NEW.provider_call_id)
       IS DISTINCT FROM
       (OLD.id, OLD.execution_id, OLD.step_number, OLD.call_index, OLD.tool_name, OLD.effect,
        OLD.gated, OLD.proposed_input, OLD.provider_call_id) THEN
        RAISE EXCEPTION 'call % of %: place, tool, effect, gate and proposed arguments are frozen',
            OLD.id, OLD.tool_name USING ERRCODE = 'check_violation';
    END IF;
    -- an edit is a new version of the review, by a named person, before anybody approved
    IF NEW.tool_input IS DISTINCT FROM OLD.tool_input AND NOT (
        OLD.status = 'awaiting_review' AND NEW.status = 'awaiting_review' AND EXISTS (
            SELECT FROM agent_reviews r WHERE r.id = NEW.review_id AND r.call_id = NEW.id
              AND r.status = 'open' AND r.edited_by IS NOT NULL
              AND r.input_digest = agentops_digest(NEW.tool_input))) THEN
        RAISE EXCEPTION 'call % of %: arguments change only with a new review of them',
            OLD.id, OLD.tool_name USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OF id, execution_id, step_number, call_index, tool_name,
    effect, gated, proposed_input, provider_call_id, tool_input
    ON agent_tool_calls FOR EACH ROW EXECUTE FUNCTION agent_tool_calls_frozen();
