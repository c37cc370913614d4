-- Hourly seals over the heads of all audit chains, and what the hourly check found.

-- Which head each seal covers. A chain stands here once for each seal after it has moved, so that
-- an hour costs what the hour wrote, however long the history.
CREATE TABLE agent_audit_sealed (
    execution_id  uuid NOT NULL,
    seal_id       bigint NOT NULL REFERENCES agent_audit_seals,
    seq           integer NOT NULL,
    hash          text NOT NULL,
    PRIMARY KEY (execution_id, seal_id)
);
CREATE INDEX sealed_by_seal ON agent_audit_sealed USING brin (seal_id) WITH (autosummarize = on);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_audit_sealed
    FOR EACH STATEMENT EXECUTE FUNCTION agentops_refuse();

-- Finds what was written lately. BRIN: next to nothing per event.
CREATE INDEX audit_lately ON agent_audit USING brin (at) WITH (autosummarize = on);

-- A hash over any number of texts, in order, without holding them all.
CREATE FUNCTION agentops_chain(state text, link text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(sha256(convert_to(state || link, 'UTF8')), 'hex');
CREATE AGGREGATE agentops_chained(text) (SFUNC = agentops_chain, STYPE = text, INITCOND = '');

CREATE FUNCTION agentops_seal_hash(
    prev_hash text, at timestamptz, executions bigint, events bigint, heads text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(sha256(convert_to(jsonb_build_array(
        prev_hash, extract(epoch FROM at), executions, events, heads
    )::text, 'UTF8')), 'hex');

-- Seal the chains that moved since the last seal. `executions` and `events` count all sealed so far.
-- The hour of overlap is for transactions that had not committed when the last seal was made.
CREATE FUNCTION agentops_seal_audit() RETURNS SETOF agent_audit_seals
    LANGUAGE sql VOLATILE BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(7311003);
    WITH last AS (
        SELECT * FROM agent_audit_seals ORDER BY id DESC LIMIT 1
    ), moved AS (
        SELECT DISTINCT a.execution_id FROM agent_audit a
        WHERE a.at > coalesce((SELECT last.at FROM last) - interval '1 hour', '-infinity')
    ), heads AS MATERIALIZED (
        SELECT m.execution_id, head.seq, head.hash, coalesce(before.seq, 0) AS sealed
        FROM moved m
        CROSS JOIN LATERAL (
            SELECT a.seq, a.hash FROM agent_audit a
            WHERE a.execution_id = m.execution_id ORDER BY a.seq DESC LIMIT 1) head
        LEFT JOIN LATERAL (
            SELECT max(b.seq) AS seq FROM agent_audit_sealed b
            WHERE b.execution_id = m.execution_id) before ON true
        WHERE head.seq > coalesce(before.seq, 0)
    ), sums AS (
        SELECT coalesce((SELECT last.heads_hash FROM last), '') AS prev_hash,
            coalesce((SELECT last.executions FROM last), 0)
                + count(*) FILTER (WHERE h.sealed = 0) AS executions,
            coalesce((SELECT last.events FROM last), 0)
                + coalesce(sum(h.seq - h.sealed), 0)::bigint AS events,
            agentops_chained(h.execution_id || ':' || h.seq || ':' || h.hash
                             ORDER BY h.execution_id) AS heads
        FROM heads h
    ), seal AS (
        INSERT INTO agent_audit_seals (at, executions, events, heads_hash, prev_hash)
        SELECT now(), s.executions, s.events,
            agentops_seal_hash(s.prev_hash, now(), s.executions, s.events, s.heads), s.prev_hash
        FROM sums s RETURNING *
    ), written AS (
        INSERT INTO agent_audit_sealed (execution_id, seal_id, seq, hash)
        SELECT h.execution_id, seal.id, h.seq, h.hash FROM heads h CROSS JOIN seal
        ORDER BY h.execution_id
    )
    SELECT * FROM seal;
END;

-- Sealed events that are gone or not what they were.
CREATE FUNCTION agentops_audit_cut() RETURNS TABLE (execution_id uuid, seq integer)
    LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT s.execution_id, s.seq FROM agent_audit_sealed s
    LEFT JOIN agent_audit a ON a.execution_id = s.execution_id AND a.seq = s.seq
    WHERE a.hash IS DISTINCT FROM s.hash;
END;

-- Seals at or after `since` (NULL: all) that do not follow the one before, or whose hash is not
-- that of the heads they cover.
CREATE FUNCTION agentops_seals_broken(since timestamptz) RETURNS TABLE (seal_id bigint)
    LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT s.id FROM (
        SELECT *, lag(heads_hash, 1, '') OVER (ORDER BY id) AS before FROM agent_audit_seals
    ) s
    LEFT JOIN (
        SELECT b.seal_id, agentops_chained(b.execution_id || ':' || b.seq || ':' || b.hash
                                           ORDER BY b.execution_id) AS heads
        FROM agent_audit_sealed b
        WHERE agentops_seals_broken.since IS NULL OR b.seal_id >= (
            SELECT min(x.id) FROM agent_audit_seals x WHERE x.at >= agentops_seals_broken.since)
        GROUP BY b.seal_id
    ) h ON h.seal_id = s.id
    WHERE s.prev_hash <> s.before
       OR (agentops_seals_broken.since IS NULL OR s.at >= agentops_seals_broken.since)
          AND s.heads_hash <> agentops_seal_hash(
              s.prev_hash, s.at, s.executions, s.events, coalesce(h.heads, ''));
END;

-- What the hourly check of the promises found.
CREATE TABLE agent_invariant_checks (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    hours     double precision,  -- of what had ended before, this much was looked at; NULL: all
    seconds   double precision NOT NULL,
    broken    integer NOT NULL,
    findings  jsonb NOT NULL DEFAULT '[]'
);

-- Guards made or made anew since 0003 look for tables where 0003 says, too.
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind <> 'a'
          AND p.prosqlbody IS NULL AND p.proname <> 'agent_health_metrics'
          AND (p.proname LIKE 'agentops\_%' OR p.proname LIKE 'agent\_%')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp',
                       one, current_schema());
    END LOOP;
END $$;
