-- Which mails went to an address, whoever they were about. Only what is frozen but for a person's
-- edit is in it: an outcome touches no index. Without a pending list, which every look would read.
CREATE INDEX mails_by_address ON agent_tool_calls
    USING gin ((lower((tool_input -> 'to')::text)::jsonb)) WITH (fastupdate = off)
    WHERE tool_name = 'send_email';
