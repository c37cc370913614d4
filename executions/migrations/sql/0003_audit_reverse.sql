DROP FUNCTION agentops_audit_broken();
DROP FUNCTION agent_review_votes_audit() CASCADE;
DROP FUNCTION agent_reviews_audit() CASCADE;
DROP FUNCTION agent_executions_audit() CASCADE;
DROP FUNCTION agentops_audit(uuid, text, uuid, jsonb);
DROP FUNCTION agentops_audit_hash(text, uuid, integer, timestamptz, text, uuid, jsonb);
