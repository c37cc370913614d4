-- Reviews become approved by votes alone; votes are of persons who may; gates only grow.

CREATE FUNCTION agent_reviews_guard_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    call agent_tool_calls;
    least integer;
BEGIN
    SELECT * INTO call FROM agent_tool_calls WHERE id = NEW.call_id;
    SELECT least_votes INTO least FROM agent_gated_tools WHERE tool_name = NEW.tool_name;
    IF NEW.status <> 'open' THEN
        RAISE EXCEPTION 'a review begins open, not %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.execution_id, NEW.tool_name) IS DISTINCT FROM (call.execution_id, call.tool_name) THEN
        RAISE EXCEPTION 'a review names the execution and tool of its call'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.required_votes < least THEN
        RAISE EXCEPTION '% needs at least % votes, not %', NEW.tool_name, least, NEW.required_votes
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'doubt' AND call.status <> 'in_doubt' THEN
        RAISE EXCEPTION 'call % of % is %; only a call in doubt is settled',
            call.id, call.tool_name, call.status USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.input_digest <> call.input_digest AND NEW.edited_by IS NULL THEN
        RAISE EXCEPTION 'a review shows the arguments of its call, or says who edited them'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_insert BEFORE INSERT ON agent_reviews
    FOR EACH ROW EXECUTE FUNCTION agent_reviews_guard_insert();

-- The database knows accounts, not faces: who sits behind an account is the site's to prove.
CREATE FUNCTION agentops_may_vote(person uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (
        SELECT FROM accounts_user u WHERE u.id = person AND u.is_active AND NOT u.is_service);

-- People who may not approve: who launched, who edited any version, service users.
CREATE FUNCTION agentops_may_approve(review agent_reviews, person uuid) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN agentops_may_vote(person)
       AND NOT EXISTS (
            SELECT FROM agent_executions e
            WHERE e.id = review.execution_id AND coalesce(e.launched_by, e.user_id) = person)
       AND NOT EXISTS (
            SELECT FROM agent_reviews r WHERE r.call_id = review.call_id AND r.edited_by = person);

-- How many different people approved exactly this, and still may.
CREATE FUNCTION agentops_votes(review agent_reviews) RETURNS bigint LANGUAGE sql STABLE
    RETURN (
        SELECT count(DISTINCT v.voter_id) FROM agent_review_votes v
        WHERE v.review_id = review.id AND v.vote = 'approve'
          AND v.input_digest = review.input_digest AND agentops_may_approve(review, v.voter_id));

CREATE FUNCTION agent_reviews_check_outcome(review agent_reviews) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF review.status = 'approved' THEN
        IF review.expires_at <= clock_timestamp() THEN
            RAISE EXCEPTION 'review %: it expired at %', review.id, review.expires_at
                USING ERRCODE = 'check_violation';
        END IF;
        IF agentops_votes(review) < review.required_votes THEN
            RAISE EXCEPTION 'review %: % of % votes', review.id, agentops_votes(review),
                review.required_votes USING ERRCODE = 'check_violation';
        END IF;
    ELSIF review.status = 'rejected' AND NOT EXISTS (
        SELECT FROM agent_review_votes v WHERE v.review_id = review.id
          AND v.vote IN ('reject', 'happened', 'drop')) THEN
        RAISE EXCEPTION 'review %: nobody rejected it', review.id
            USING ERRCODE = 'check_violation';
    ELSIF review.status = 'expired'
          AND (review.expires_at IS NULL OR review.expires_at > clock_timestamp()) THEN
        RAISE EXCEPTION 'review %: it has not expired', review.id
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION agent_reviews_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER guard BEFORE UPDATE ON agent_reviews
    FOR EACH ROW EXECUTE FUNCTION agent_reviews_guard();

CREATE FUNCTION agent_review_votes_guard_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review agent_reviews;
BEGIN
    -- the order of locks everywhere: execution, then review
    PERFORM FROM agent_executions e WHERE e.id =
        (SELECT execution_id FROM agent_reviews WHERE id = NEW.review_id) FOR NO KEY UPDATE;
    SELECT * INTO review FROM agent_reviews WHERE id = NEW.review_id FOR NO KEY UPDATE;
    IF review.status <> 'open' OR review.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'review % is % and takes no vote', NEW.review_id,
            CASE WHEN review.status = 'open' THEN 'expired' ELSE review.status END
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.input_digest <> review.input_digest THEN
        RAISE EXCEPTION 'review %: the vote is on other arguments than it shows', NEW.review_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT agentops_may_vote(NEW.voter_id)
       OR NEW.vote = 'approve' AND NOT agentops_may_approve(review, NEW.voter_id) THEN
        RAISE EXCEPTION 'review %: who launched or edited it, or is no person, cannot % it',
            NEW.review_id, NEW.vote USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_insert BEFORE INSERT ON agent_review_votes
    FOR EACH ROW EXECUTE FUNCTION agent_review_votes_guard_insert();

-- The list of always-gated tools only grows; to take a tool off it is a migration of its own.
CREATE FUNCTION agent_gated_tools_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF agentops_in_maintenance(TG_RELID) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR NEW.tool_name <> OLD.tool_name OR NEW.least_votes < OLD.least_votes THEN
        RAISE EXCEPTION 'the gate of % is never opened or lowered', OLD.tool_name
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON agent_gated_tools
    FOR EACH ROW EXECUTE FUNCTION agent_gated_tools_guard();
