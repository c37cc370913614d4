DROP FUNCTION agent_gated_tools_guard() CASCADE;
DROP FUNCTION agent_review_votes_guard_insert() CASCADE;
DROP FUNCTION agent_reviews_guard() CASCADE;
DROP FUNCTION agent_reviews_check_outcome(agent_reviews);
DROP FUNCTION agentops_votes(agent_reviews);
DROP FUNCTION agentops_may_approve(agent_reviews, uuid);
DROP FUNCTION agentops_may_vote(uuid);
DROP FUNCTION agent_reviews_guard_insert() CASCADE;
