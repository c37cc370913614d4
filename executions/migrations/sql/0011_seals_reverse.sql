DROP TABLE agent_invariant_checks;
DROP FUNCTION agentops_seals_broken(timestamptz);
DROP FUNCTION agentops_audit_cut();
DROP FUNCTION agentops_seal_audit();
DROP FUNCTION agentops_seal_hash(text, timestamptz, bigint, bigint, text);
DROP AGGREGATE agentops_chained(text);
DROP FUNCTION agentops_chain(text, text);
DROP INDEX audit_lately;
DROP TABLE agent_audit_sealed;
