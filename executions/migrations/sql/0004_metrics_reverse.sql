DROP INDEX votes_newest;
DROP FUNCTION agent_health_metrics(text, timestamptz);
