DROP FUNCTION agent_controls_alone() CASCADE;
DROP FUNCTION agent_controls_notify() CASCADE;
