-- A tool that fails again and again is shut for a while. A row exists only while a tool's last
-- outcome was a failure; what people switch is in agent_controls and never touched from here.
CREATE TABLE agent_breakers (
    tool_name   text PRIMARY KEY,
    failures    integer NOT NULL DEFAULT 1,  -- in a row, over all runners
    last_error  text NOT NULL DEFAULT '',
    opened_at   timestamptz,
    open_until  timestamptz,  -- NULL: closed; past: one call may probe
    probe_call  uuid,         -- the call that does, and may start
    CONSTRAINT open_since_and_until CHECK ((opened_at IS NULL) = (open_until IS NULL)),
    CONSTRAINT probe_of_an_open_one CHECK (probe_call IS NULL OR open_until IS NOT NULL)
);
