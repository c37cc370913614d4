-- The audit trail: every transition and every act of a person, also those made through psql.
-- Chained per execution: each row's hash covers the one before it.

CREATE FUNCTION agentops_audit_hash(
    prev_hash text, execution_id uuid, seq integer, at timestamptz,
    event text, actor_id uuid, detail jsonb
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(sha256(convert_to(jsonb_build_array(
        prev_hash, execution_id, seq, extract(epoch FROM at), event, actor_id, detail
    )::text, 'UTF8')), 'hex');

CREATE FUNCTION agentops_audit(execution uuid, what text, actor uuid, about jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    last agent_audit;
    moment timestamptz := clock_timestamp();
    person uuid := coalesce(actor, nullif(current_setting('agentops.actor', true), '')::uuid);
BEGIN
    SELECT * INTO last FROM agent_audit a WHERE a.execution_id = execution
    ORDER BY a.seq DESC LIMIT 1;
    INSERT INTO agent_audit (execution_id, seq, at, event, actor_id, detail, prev_hash, hash)
    VALUES (
        execution, coalesce(last.seq, 0) + 1, moment, what, person, about,
        coalesce(last.hash, ''),
        agentops_audit_hash(coalesce(last.hash, ''), execution, coalesce(last.seq, 0) + 1,
                            moment, what, person, about));
END $$;

CREATE FUNCTION agent_executions_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM agentops_audit(NEW.id, 'launched', coalesce(NEW.launched_by, NEW.user_id),
            jsonb_build_object('agent', NEW.agent_type, 'status', NEW.status,
                               'input_digest', agentops_digest(NEW.input_data)));
    ELSIF NEW.status IS DISTINCT FROM OLD.status THEN
        PERFORM agentops_audit(NEW.id, NEW.status, NULL, jsonb_strip_nulls(jsonb_build_object(
            'from', OLD.status, 'lease_token', NEW.lease_token,
            'stop_reason', NEW.stop_reason, 'steps', NEW.step_count)));
    ELSIF NEW.lease_owner IS DISTINCT FROM OLD.lease_owner THEN
        PERFORM agentops_audit(NEW.id, 'recovered', NULL, jsonb_build_object(
            'lease_token', NEW.lease_token, 'attempts', NEW.attempts, 'steps', NEW.step_count));
    ELSE
        PERFORM agentops_audit(NEW.id, 'cancel_requested', NULL, '{}');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_insert AFTER INSERT ON agent_executions
    FOR EACH ROW EXECUTE FUNCTION agent_executions_audit();
CREATE TRIGGER audit_update AFTER UPDATE OF status, cancel_requested_at, lease_owner ON agent_executions
    FOR EACH ROW WHEN (
        NEW.status IS DISTINCT FROM OLD.status
        OR NEW.lease_owner IS DISTINCT FROM OLD.lease_owner
        OR NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at)
    EXECUTE FUNCTION agent_executions_audit();

CREATE FUNCTION agent_reviews_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM agentops_audit(NEW.execution_id, 'review_' || NEW.status, NEW.edited_by,
        jsonb_build_object('review', NEW.id, 'call', NEW.call_id, 'tool', NEW.tool_name,
                           'kind', NEW.kind, 'version', NEW.version, 'digest', NEW.input_digest));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_insert AFTER INSERT ON agent_reviews
    FOR EACH ROW EXECUTE FUNCTION agent_reviews_audit();
CREATE TRIGGER audit_update AFTER UPDATE OF status ON agent_reviews
    FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION agent_reviews_audit();

CREATE FUNCTION agent_review_votes_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
BEGIN
    SELECT * INTO review FROM agent_reviews WHERE id = NEW.review_id;
    PERFORM agentops_audit(review.execution_id, 'voted_' || NEW.vote, NEW.voter_id,
        jsonb_build_object('review', NEW.review_id, 'call', review.call_id,
                           'tool', review.tool_name, 'digest', NEW.input_digest,
                           'reason_digest', agentops_digest(to_jsonb(NEW.reason))));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_insert AFTER INSERT ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agent_review_votes_audit();

-- Only the triggers above write: what stands here happened to a row.
CREATE TRIGGER written_by_triggers BEFORE INSERT ON agent_audit
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION agentops_refuse();

-- Rows whose hash or link to the row before is wrong; none on an honest trail.
CREATE FUNCTION agentops_audit_broken() RETURNS TABLE (execution_id uuid, seq integer)
    LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT a.execution_id, a.seq FROM (
        SELECT *, lag(hash, 1, '') OVER chain AS before, row_number() OVER chain AS place
        FROM agent_audit WINDOW chain AS (PARTITION BY execution_id ORDER BY seq)
    ) a
    WHERE a.place <> a.seq OR a.prev_hash <> a.before
       OR a.hash <> agentops_audit_hash(
           a.prev_hash, a.execution_id, a.seq, a.at, a.event, a.actor_id, a.detail);
END;

-- A temporary table hides a real one of the same name from whoever does not say where to look:
-- an empty agent_gated_tools of one's own would open every gate.
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.prosqlbody IS NULL
          AND (p.proname LIKE 'agentops\_%' OR p.proname LIKE 'agent\_%')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp',
                       one, current_schema());
    END LOOP;
END $$;
