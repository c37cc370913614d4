-- What happened is kept: these tables grow, and nothing in them changes or goes.
-- Under the maintenance flag the tables' owner may redact payloads and delete whole executions,
-- but only of executions that have ended and that no legal hold protects.

CREATE FUNCTION agentops_check_ended(execution uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM agent_executions e WHERE e.id = execution
                   AND e.completed_at IS NOT NULL AND NOT e.legal_hold) THEN
        RAISE EXCEPTION 'execution %: maintenance waits for its end and for its legal hold',
            execution USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION agentops_check_redaction(was jsonb, becomes jsonb, execution uuid, payload text[])
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF was - payload <> becomes - payload THEN
        RAISE EXCEPTION 'maintenance changes payloads, nothing else'
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM agentops_check_ended(execution);
END $$;

-- Statement triggers. Their arguments: what maintenance may do here.
CREATE FUNCTION agentops_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_NARGS > 0 AND TG_OP = ANY (TG_ARGV) AND agentops_in_maintenance(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is refused: % keeps what happened', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation';
END $$;

-- Row triggers, reached by maintenance only. Their arguments: the payload columns.
CREATE FUNCTION agentops_maintain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := to_jsonb(OLD);
    execution uuid := CASE TG_TABLE_NAME
        WHEN 'agent_executions' THEN (was ->> 'id')::uuid
        WHEN 'agent_review_votes' THEN (
            SELECT r.execution_id FROM agent_reviews r WHERE r.id = (was ->> 'review_id')::uuid)
        ELSE (was ->> 'execution_id')::uuid END;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM agentops_check_ended(execution);
        RETURN OLD;
    END IF;
    PERFORM agentops_check_redaction(was, to_jsonb(NEW), execution, TG_ARGV);
    RETURN NEW;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_steps
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('UPDATE', 'DELETE');
CREATE TRIGGER maintain BEFORE UPDATE OR DELETE ON agent_steps
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain('response', 'problem');

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_review_votes
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('UPDATE', 'DELETE');
CREATE TRIGGER maintain BEFORE UPDATE OR DELETE ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain('reason', 'input_digest');

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_audit
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('DELETE');
CREATE TRIGGER maintain BEFORE DELETE ON agent_audit
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_definitions
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse();
CREATE TRIGGER kept BEFORE TRUNCATE ON agent_gated_tools
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse();

CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON agent_executions
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('DELETE');
CREATE TRIGGER maintain BEFORE DELETE ON agent_executions
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON agent_tool_calls
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('DELETE');
CREATE TRIGGER maintain BEFORE DELETE ON agent_tool_calls
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON agent_reviews
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('DELETE');
CREATE TRIGGER maintain BEFORE DELETE ON agent_reviews
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain();
