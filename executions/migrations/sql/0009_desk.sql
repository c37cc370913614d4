-- What people edited, version by version; and the outbox from which reviewers are written to.

-- The arguments this version shows when a person edited them. Without an edit they are the call's.
ALTER TABLE agent_reviews ADD COLUMN edited_input jsonb,
    ADD CONSTRAINT edits_name_their_editor CHECK (edited_input IS NULL OR edited_by IS NOT NULL);

CREATE OR REPLACE FUNCTION agent_reviews_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF agentops_in_maintenance(TG_RELID) THEN
        PERFORM agentops_check_redaction(to_jsonb(OLD), to_jsonb(NEW), OLD.execution_id,
            '{input_digest,reason,edited_input}');
        RETURN NEW;
    END IF;
    IF NEW.status <> OLD.status AND NOT agentops_may_move('review', OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'review %: no way from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.id, NEW.call_id, NEW.execution_id, NEW.tool_name, NEW.input_digest, NEW.kind,
        NEW.version, NEW.required_votes, NEW.reason, NEW.risk, NEW.target_version, NEW.edited_by,
        NEW.edited_input)
       IS DISTINCT FROM
       (OLD.id, OLD.call_id, OLD.execution_id, OLD.tool_name, OLD.input_digest, OLD.kind,
        OLD.version, OLD.required_votes, OLD.reason, OLD.risk, OLD.target_version, OLD.edited_by,
        OLD.edited_input)
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

-- One row per review, committed with it whoever opens it. `told` holds the ids of the people who
-- were written to; `closed_at` is set once nobody needs to be any more.
CREATE TABLE agent_notifications (
    id          uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    review_id   uuid NOT NULL UNIQUE REFERENCES agent_reviews ON DELETE CASCADE,
    is_urgent   boolean NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),
    attempts    integer NOT NULL DEFAULT 0,
    told        jsonb NOT NULL DEFAULT '[]',
    error       text,
    closed_at   timestamptz
);
CREATE INDEX notifications_due ON agent_notifications (due_at) WHERE closed_at IS NULL;

CREATE FUNCTION agent_reviews_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agent_notifications (review_id, is_urgent)
    VALUES (NEW.id, NEW.risk = 'high' OR NEW.kind = 'doubt');
    RETURN NULL;
END $$;
CREATE TRIGGER notify AFTER INSERT ON agent_reviews
    FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION agent_reviews_notify();
