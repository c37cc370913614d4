-- A vote to approve can be withdrawn by who cast it, while nothing follows from it yet. The vote
-- stays as what was said, with the moment from which it counts no more, and its voter may vote anew.

ALTER TABLE agent_review_votes ADD COLUMN withdrawn_at timestamptz,
    DROP CONSTRAINT one_vote_per_person;
-- of those that stand, and of those withdrawn at one moment; it also finds a review's votes
CREATE UNIQUE INDEX one_vote_per_person
    ON agent_review_votes (review_id, voter_id, coalesce(withdrawn_at, 'infinity'));

-- How many different people approved exactly this, did not withdraw it, and still may.
CREATE OR REPLACE FUNCTION agentops_votes(review agent_reviews) RETURNS bigint LANGUAGE sql STABLE
    RETURN (
        SELECT count(DISTINCT v.voter_id) FROM agent_review_votes v
        WHERE v.review_id = review.id AND v.vote = 'approve' AND v.withdrawn_at IS NULL
          AND v.input_digest = review.input_digest AND agentops_may_approve(review, v.voter_id));

-- Everything but withdrawn_at is kept as before; a test compares the columns with the table's.
DROP TRIGGER append_only ON agent_review_votes;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE OR UPDATE OF
    id, review_id, voter_id, vote, reason, input_digest, created_at, tool_version
    ON agent_review_votes FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('UPDATE', 'DELETE');
DROP TRIGGER maintain ON agent_review_votes;
CREATE TRIGGER maintain BEFORE DELETE OR UPDATE OF
    id, review_id, voter_id, vote, reason, input_digest, created_at, tool_version
    ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain('reason', 'input_digest');
CREATE TRIGGER cast_to_stand BEFORE INSERT ON agent_review_votes
    FOR EACH ROW WHEN (NEW.withdrawn_at IS NOT NULL) EXECUTE FUNCTION agentops_refuse();

CREATE FUNCTION agent_review_votes_guard_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
BEGIN
    -- the order of locks everywhere: execution, then review
    PERFORM FROM agent_executions e WHERE e.id =
        (SELECT execution_id FROM agent_reviews WHERE id = OLD.review_id) FOR NO KEY UPDATE;
    SELECT * INTO review FROM agent_reviews WHERE id = OLD.review_id FOR NO KEY UPDATE;
    IF OLD.vote <> 'approve' OR OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL THEN
        RAISE EXCEPTION 'review %: an approval is withdrawn, once, and nothing else', review.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF current_setting('agentops.actor', true) IS DISTINCT FROM OLD.voter_id::text THEN
        RAISE EXCEPTION 'review %: a vote is withdrawn by who cast it', review.id
            USING ERRCODE = 'check_violation';
    END IF;
    -- open, or voided by this very transaction because an approval of it was taken back
    IF review.status = 'open' AND review.expires_at <= clock_timestamp()
       OR review.status <> 'open'
          AND (review.status <> 'void' OR review.decided_at < transaction_timestamp()) THEN
        RAISE EXCEPTION 'review % is % and gives no vote back', review.id,
            CASE WHEN review.status = 'open' THEN 'expired' ELSE review.status END
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.withdrawn_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_withdrawal BEFORE UPDATE OF withdrawn_at ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agent_review_votes_guard_withdrawal();

CREATE FUNCTION agent_review_votes_audit_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
BEGIN
    SELECT * INTO review FROM agent_reviews WHERE id = NEW.review_id;
    PERFORM agentops_audit(review.execution_id, 'vote_withdrawn', NEW.voter_id,
        jsonb_strip_nulls(jsonb_build_object(
            'review', NEW.review_id, 'call', review.call_id, 'tool', review.tool_name,
            'digest', NEW.input_digest,
            'by', CASE WHEN review.status = 'void' THEN 'take_back' END)));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_withdrawal AFTER UPDATE OF withdrawn_at ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agent_review_votes_audit_withdrawal();

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['agent_review_votes_guard_withdrawal',
                               'agent_review_votes_audit_withdrawal'] LOOP
        EXECUTE format('ALTER FUNCTION %I SET search_path = pg_catalog, %I, pg_temp',
                       one, current_schema());
    END LOOP;
END $$;
