DROP INDEX executions_by_input;
