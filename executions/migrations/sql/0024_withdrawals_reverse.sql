DROP FUNCTION agent_review_votes_audit_withdrawal() CASCADE;
DROP FUNCTION agent_review_votes_guard_withdrawal() CASCADE;
DROP TRIGGER cast_to_stand ON agent_review_votes;
DROP TRIGGER maintain ON agent_review_votes;
DROP TRIGGER append_only ON agent_review_votes;

-- Without the column they would count again. The audit trail keeps that they were cast.
DELETE FROM agent_review_votes WHERE withdrawn_at IS NOT NULL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_review_votes
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse('UPDATE', 'DELETE');
CREATE TRIGGER maintain BEFORE UPDATE OR DELETE ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agentops_maintain('reason', 'input_digest');

CREATE OR REPLACE FUNCTION agentops_votes(review agent_reviews) RETURNS bigint LANGUAGE sql STABLE
    RETURN (
        SELECT count(DISTINCT v.voter_id) FROM agent_review_votes v
        WHERE v.review_id = review.id AND v.vote = 'approve'
          AND v.input_digest = review.input_digest AND agentops_may_approve(review, v.voter_id));

DROP INDEX one_vote_per_person;
ALTER TABLE agent_review_votes DROP COLUMN withdrawn_at,
    ADD CONSTRAINT one_vote_per_person UNIQUE (review_id, voter_id);
