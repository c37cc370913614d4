DROP TABLE agent_breakers;
