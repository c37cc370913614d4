DROP TRIGGER notify ON agent_reviews;
DROP FUNCTION agent_reviews_notify;
DROP TABLE agent_notifications;
CREATE OR REPLACE FUNCTION agent_reviews_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF agentops_in_maintenance(TG_RELID) THEN
        PERFORM agentops_check_redaction(to_jsonb(OLD), to_jsonb(NEW), OLD.execution_id,
            '{input_digest,reason}');
        RETURN NEW;
    END IF;
    IF NEW.status <> OLD.status AND NOT agentops_may_move('review', OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'review %: no way from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.id, NEW.call_id, NEW.execution_id, NEW.tool_name, NEW.input_digest, NEW.kind,
        NEW.version, NEW.required_votes, NEW.reason, NEW.risk, NEW.target_version, NEW.edited_by)
       IS DISTINCT FROM
       (OLD.id, OLD.call_id, OLD.execution_id, OLD.tool_name, OLD.input_digest, OLD.kind,
        OLD.version, OLD.required_votes, OLD.reason, OLD.risk, OLD.target_version, OLD.edited_by)
       THEN
        RAISE EXCEPTION 'review %: what was put before people is frozen', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.expires_at IS NOT NULL
       AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at) THEN
        RAISE EXCEPTION 'review %: its expiry cannot be put off', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'approved' AND NEW.effective_at IS DISTINCT FROM OLD.effective_at THEN
        RAISE EXCEPTION 'review %: its undo window is frozen', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.decided_at := OLD.decided_at;
    IF NEW.status <> OLD.status THEN
        NEW.decided_at := clock_timestamp();
        PERFORM agent_reviews_check_outcome(NEW);
    END IF;
    RETURN NEW;
END $$;
ALTER TABLE agent_reviews DROP CONSTRAINT edits_name_their_editor, DROP COLUMN edited_input;
