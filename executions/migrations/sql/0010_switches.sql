-- Whoever pulls a switch, by whatever client, first waits for the starts that are committing, and
-- no start commits before the switch has (I9). The number is the engine's CONTROLS_LOCK_KEY.
CREATE FUNCTION agent_controls_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7311001);
    RETURN NULL;
END $$;
CREATE TRIGGER alone BEFORE INSERT OR UPDATE OR DELETE ON agent_controls
    FOR EACH STATEMENT EXECUTE FUNCTION agent_controls_alone();

-- Runners hold the switches in memory, and read them again when they hear this.
CREATE FUNCTION agent_controls_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('agentops_controls', '');
    RETURN NULL;
END $$;
CREATE TRIGGER heard AFTER INSERT OR UPDATE OR DELETE ON agent_controls
    FOR EACH STATEMENT EXECUTE FUNCTION agent_controls_notify();
