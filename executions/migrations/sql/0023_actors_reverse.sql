CREATE OR REPLACE FUNCTION agent_reviews_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM agentops_audit(NEW.execution_id, 'review_' || NEW.status, NEW.edited_by,
        jsonb_build_object('review', NEW.id, 'call', NEW.call_id, 'tool', NEW.tool_name,
                           'kind', NEW.kind, 'version', NEW.version, 'digest', NEW.input_digest));
    RETURN NULL;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_reviews_audit SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
END $$;
