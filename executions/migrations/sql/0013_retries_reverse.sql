DROP INDEX executions_retries;
