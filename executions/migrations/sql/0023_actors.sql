-- Who closed a review is whoever closed it, never who had edited what stands in it; and the trail
-- says by what a review was opened or closed: a person's edit, or the last vote on it.

CREATE OR REPLACE FUNCTION agent_reviews_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_new boolean := TG_OP = 'INSERT';
    cause text;
BEGIN
    IF is_new AND NEW.edited_by IS NOT NULL THEN
        cause := 'edit';
    ELSIF NEW.status IN ('approved', 'rejected') THEN
        SELECT v.vote INTO cause FROM agent_review_votes v WHERE v.review_id = NEW.id
        ORDER BY v.created_at DESC LIMIT 1;
    END IF;
    PERFORM agentops_audit(
        NEW.execution_id, 'review_' || NEW.status, CASE WHEN is_new THEN NEW.edited_by END,
        jsonb_strip_nulls(jsonb_build_object(
            'review', NEW.id, 'call', NEW.call_id, 'tool', NEW.tool_name, 'kind', NEW.kind,
            'version', NEW.version, 'digest', NEW.input_digest, 'by', cause)));
    RETURN NULL;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_reviews_audit SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
END $$;
