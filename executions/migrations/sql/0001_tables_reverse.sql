DROP TABLE agent_audit_seals, agent_audit, agent_budgets, agent_controls, agent_runners,
    agent_gated_tools, agent_review_votes, agent_reviews, agent_tool_calls, agent_steps,
    agent_executions, agent_definitions;
DROP FUNCTION agentops_digest(jsonb);
