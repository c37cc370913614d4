-- "What became of C-1003?": the executions whose input holds a value, by key. One entry per value, and
-- none when a row changes: the input is frozen. Without a pending list, which every search would read.
CREATE INDEX executions_by_input ON agent_executions USING gin (input_data jsonb_path_ops)
    WITH (fastupdate = off);
