-- Who is on a review. What counts now stands in agent_reviews (claimed_by until claimed_until);
-- each claim that was made, and each that was taken over, is kept here.
CREATE TABLE agent_review_claims (
    id            uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    review_id     uuid NOT NULL REFERENCES agent_reviews,
    execution_id  uuid NOT NULL REFERENCES agent_executions,
    claimant_id   uuid NOT NULL REFERENCES accounts_user,
    taken_from    uuid REFERENCES accounts_user,
    reason        text NOT NULL DEFAULT '',  -- of a take-over, for whom it was taken from
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT taken_over_for_a_reason CHECK (taken_from IS NULL OR reason <> '')
);
CREATE INDEX claims_by_review ON agent_review_claims (review_id, created_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_review_claims
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('UPDATE', 'DELETE');
CREATE TRIGGER maintain BEFORE UPDATE OR DELETE ON agent_review_claims
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain('reason');

CREATE FUNCTION agent_review_claims_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM agentops_audit(
        NEW.execution_id,
        CASE WHEN NEW.taken_from IS NULL THEN 'review_claimed' ELSE 'review_taken_over' END,
        NEW.claimant_id,
        jsonb_strip_nulls(jsonb_build_object(
            'review', NEW.review_id, 'from', NEW.taken_from,
            'reason_digest', agentops_digest(to_jsonb(nullif(NEW.reason, ''))))));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_insert AFTER INSERT ON agent_review_claims
    FOR EACH ROW EXECUTE FUNCTION agent_review_claims_audit();
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_review_claims_audit SET search_path = pg_catalog, %I,'
                   ' pg_temp', current_schema());
END $$;

-- Which customer the call is about, as its tool said when people were asked; for lists, it decides
-- nothing. No reference: a customer may be gone, and the review stays.
ALTER TABLE agent_reviews ADD COLUMN customer_id text,
    ADD CONSTRAINT claims_have_an_end CHECK ((claimed_by IS NULL) = (claimed_until IS NULL));

-- What was decided since a page was loaded.
CREATE INDEX reviews_decided ON agent_reviews (decided_at) WHERE decided_at IS NOT NULL;

UPDATE agent_reviews r SET customer_id = c.tool_input ->> 'customer_id'
FROM agent_tool_calls c
WHERE c.id = r.call_id AND r.status = 'open' AND jsonb_typeof(c.tool_input) = 'object';
