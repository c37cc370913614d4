DROP FUNCTION agentops_maintain() CASCADE;
DROP FUNCTION agentops_refuse() CASCADE;
DROP FUNCTION agentops_check_redaction(jsonb, jsonb, uuid, text[]);
DROP FUNCTION agentops_check_ended(uuid);
