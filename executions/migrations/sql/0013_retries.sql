-- An execution's retries are looked for before another one, and shown in its story.
CREATE INDEX executions_retries ON agent_executions (retry_of) WHERE retry_of IS NOT NULL;
