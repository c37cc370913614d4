-- The tables. The first two carry the given schema column by column, then ours.

CREATE FUNCTION agentops_digest(j jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(sha256(convert_to(j::text, 'UTF8')), 'hex');
COMMENT ON FUNCTION agentops_digest IS
    'sha256 of the stored form: key order does not matter; 1 and 1.0 differ, the safe side';

-- What an execution runs by, kept as it was at launch. One row per distinct definition.
CREATE TABLE agent_definitions (
    sha256      text PRIMARY KEY,
    agent_type  text NOT NULL,
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Agent execution state.
CREATE TABLE agent_executions (
    id            uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    user_id       uuid REFERENCES accounts_user NOT NULL,
    agent_type    text NOT NULL,
    status        text NOT NULL DEFAULT 'pending',
    CONSTRAINT valid_status CHECK (status IN (
        'pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting_review')),
    input_data    jsonb NOT NULL,
    state         jsonb NOT NULL DEFAULT '{}',
    result        jsonb,
    error         text,
    step_count    integer NOT NULL DEFAULT 0,
    token_count   integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    completed_at  timestamptz,
    -- ours
    stop_reason          text,
    cost_usd             numeric(14, 6) DEFAULT 0,  -- NULL: a price was unknown
    active_ms            bigint NOT NULL DEFAULT 0,
    limits               jsonb NOT NULL DEFAULT '{}',
    definition_id        text REFERENCES agent_definitions,
    lease_owner          uuid,
    lease_token          bigint NOT NULL DEFAULT 0,
    attempts             integer NOT NULL DEFAULT 0,
    open_reviews         integer NOT NULL DEFAULT 0,
    wake_at              timestamptz,
    cancel_requested_at  timestamptz,
    idempotency_key      text,
    launched_by          uuid REFERENCES accounts_user,
    retry_of             uuid REFERENCES agent_executions,
    priority             integer NOT NULL DEFAULT 0,
    legal_hold           boolean NOT NULL DEFAULT false,
    CONSTRAINT counts_not_negative CHECK (
        step_count >= 0 AND token_count >= 0 AND active_ms >= 0
        AND attempts >= 0 AND open_reviews >= 0),
    CONSTRAINT lease_only_while_running CHECK ((lease_owner IS NOT NULL) = (status = 'running')),
    CONSTRAINT final_has_completed_at CHECK (
        (completed_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT unfinished_says_why CHECK (
        status NOT IN ('failed', 'cancelled') OR stop_reason IS NOT NULL),
    CONSTRAINT launched_once UNIQUE (agent_type, idempotency_key)
) WITH (fillfactor = 50);

CREATE INDEX executions_claimable ON agent_executions (priority DESC, created_at)
    WHERE status = 'pending';
CREATE INDEX executions_leased ON agent_executions (lease_owner) WHERE status = 'running';
CREATE INDEX executions_newest ON agent_executions (created_at DESC, id DESC);
CREATE INDEX executions_by_status ON agent_executions (status, created_at DESC);
CREATE INDEX executions_by_agent ON agent_executions (agent_type, created_at DESC);
CREATE INDEX executions_finished ON agent_executions (completed_at, agent_type)
    WHERE completed_at IS NOT NULL;

-- One LLM request and its decision. Append-only.
CREATE TABLE agent_steps (
    execution_id      uuid NOT NULL REFERENCES agent_executions,
    step_number       integer NOT NULL CHECK (step_number > 0),
    llm               text NOT NULL,
    request_digest    text NOT NULL,
    response          jsonb NOT NULL,
    finish_reason     text NOT NULL,
    problem           text,
    input_tokens      integer NOT NULL DEFAULT 0,
    cached_tokens     integer NOT NULL DEFAULT 0,
    output_tokens     integer NOT NULL DEFAULT 0,
    reasoning_tokens  integer NOT NULL DEFAULT 0,
    total_tokens      integer NOT NULL DEFAULT 0,
    usage_estimated   boolean NOT NULL DEFAULT false,
    cost_usd          numeric(14, 6),
    latency_ms        integer NOT NULL,
    tries             jsonb NOT NULL DEFAULT '[]',
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (execution_id, step_number)
);

-- Tool call log for observability.
CREATE TABLE agent_tool_calls (
    id            uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    execution_id  uuid REFERENCES agent_executions NOT NULL,
    step_number   integer NOT NULL,
    tool_name     text NOT NULL,
    tool_input    jsonb NOT NULL,
    tool_output   jsonb,
    status        text NOT NULL DEFAULT 'pending',
    latency_ms    integer,
    error         text,
    called_at     timestamptz NOT NULL DEFAULT now(),
    -- ours
    call_index        integer NOT NULL DEFAULT 0,
    provider_call_id  text NOT NULL DEFAULT '',
    effect            text NOT NULL DEFAULT 'once',
    gated             boolean NOT NULL DEFAULT false,
    proposed_input    jsonb,
    input_digest      text GENERATED ALWAYS AS (agentops_digest(tool_input)) STORED,
    idempotency_key   text,
    review_id         uuid UNIQUE,
    -- what the review must be once the call has started: the foreign key compares it
    review_status     text GENERATED ALWAYS AS (
        CASE WHEN gated AND started_at IS NOT NULL THEN 'approved' END) STORED,
    target_version    text,
    started_at        timestamptz,
    finished_at       timestamptz,
    CONSTRAINT valid_call_status CHECK (status IN (
        'pending', 'awaiting_review', 'approved', 'running', 'succeeded', 'failed',
        'rejected', 'expired', 'cancelled', 'in_doubt')),
    CONSTRAINT valid_effect CHECK (effect IN ('read', 'transactional', 'idempotent', 'once')),
    CONSTRAINT started_calls_say_when CHECK (
        status NOT IN ('running', 'succeeded', 'in_doubt') OR started_at IS NOT NULL),
    CONSTRAINT gated_start_has_review CHECK (
        NOT gated OR started_at IS NULL OR review_id IS NOT NULL),
    CONSTRAINT started_change_has_key CHECK (
        effect = 'read' OR started_at IS NULL OR idempotency_key IS NOT NULL),
    CONSTRAINT one_row_per_request UNIQUE (execution_id, step_number, call_index),
    CONSTRAINT one_row_per_key UNIQUE (idempotency_key)
) WITH (fillfactor = 40);  -- an output is larger than the call: room for it on the same page

CREATE INDEX tool_calls_newest ON agent_tool_calls (called_at DESC, id DESC);
CREATE INDEX tool_calls_by_tool ON agent_tool_calls (tool_name, called_at DESC);

-- One gated call put before people. An edit or a changed target makes a new version: a new row.
CREATE TABLE agent_reviews (
    id              uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    call_id         uuid NOT NULL REFERENCES agent_tool_calls,
    execution_id    uuid NOT NULL REFERENCES agent_executions,
    tool_name       text NOT NULL,
    input_digest    text NOT NULL,
    kind            text NOT NULL DEFAULT 'approval',
    status          text NOT NULL DEFAULT 'open',
    version         integer NOT NULL DEFAULT 1 CHECK (version > 0),
    required_votes  integer NOT NULL DEFAULT 1 CHECK (required_votes > 0),
    reason          text NOT NULL DEFAULT '',
    risk            text NOT NULL DEFAULT 'high',
    target_version  text,
    expires_at      timestamptz,
    effective_at    timestamptz,
    edited_by       uuid REFERENCES accounts_user,
    claimed_by      uuid REFERENCES accounts_user,
    claimed_until   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz,
    CONSTRAINT valid_review_kind CHECK (kind IN ('approval', 'doubt')),
    CONSTRAINT valid_review_status CHECK (
        status IN ('open', 'approved', 'rejected', 'expired', 'void')),
    CONSTRAINT valid_risk CHECK (risk IN ('low', 'medium', 'high')),
    CONSTRAINT one_review_per_version UNIQUE (call_id, version),
    CONSTRAINT what_the_call_compares UNIQUE (
        id, call_id, execution_id, tool_name, input_digest, status)
);
CREATE UNIQUE INDEX one_open_review_per_call ON agent_reviews (call_id) WHERE status = 'open';
CREATE INDEX reviews_open ON agent_reviews (expires_at, created_at) WHERE status = 'open';
CREATE INDEX reviews_by_execution ON agent_reviews (execution_id, created_at);

-- A gated call may only have started under an approved review of exactly this call.
ALTER TABLE agent_tool_calls ADD CONSTRAINT started_under_its_approved_review
    FOREIGN KEY (review_id, id, execution_id, tool_name, input_digest, review_status)
    REFERENCES agent_reviews (id, call_id, execution_id, tool_name, input_digest, status)
    DEFERRABLE INITIALLY IMMEDIATE;

-- One person's decision on one version of a review. Append-only.
CREATE TABLE agent_review_votes (
    id            uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    review_id     uuid NOT NULL REFERENCES agent_reviews,
    voter_id      uuid NOT NULL REFERENCES accounts_user,
    vote          text NOT NULL,
    reason        text NOT NULL DEFAULT '',
    input_digest  text NOT NULL,  -- of the arguments the voter saw
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT valid_vote CHECK (vote IN ('approve', 'reject', 'ask', 'happened', 'drop')),
    CONSTRAINT one_vote_per_person UNIQUE (review_id, voter_id)
);

-- Tools that always need people, and how many at least. Filled from the tool registry.
CREATE TABLE agent_gated_tools (
    tool_name    text PRIMARY KEY,
    least_votes  integer NOT NULL DEFAULT 1 CHECK (least_votes > 0)
);

-- Who drives. One row per living runner; `dead_at` is set once others have noticed its death.
CREATE TABLE agent_runners (
    id            uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    lock_key      bigint GENERATED ALWAYS AS IDENTITY,  -- its session advisory lock
    host          text NOT NULL,
    pid           integer NOT NULL,
    capacity      integer NOT NULL,
    is_solo       boolean NOT NULL DEFAULT false,
    version       text NOT NULL DEFAULT '',
    in_flight     integer NOT NULL DEFAULT 0,
    is_draining   boolean NOT NULL DEFAULT false,
    started_at    timestamptz NOT NULL DEFAULT now(),
    heartbeat_at  timestamptz NOT NULL DEFAULT now(),
    lease_until   timestamptz NOT NULL,
    dead_at       timestamptz,
    last_batch    bigint NOT NULL DEFAULT 0  -- the last journal batch it committed
) WITH (fillfactor = 50);

-- Switches people pull: everything, one agent, one tool, one customer.
CREATE TABLE agent_controls (
    scope       text NOT NULL CHECK (scope IN ('all', 'agent', 'tool', 'customer')),
    key         text NOT NULL DEFAULT '',
    state       text NOT NULL CHECK (state IN ('on', 'paused', 'killed')),
    reason      text NOT NULL DEFAULT '',
    changed_by  uuid REFERENCES accounts_user,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);

-- Ceilings over many executions: reserve before spending, settle after.
CREATE TABLE agent_budgets (
    id           uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    scope        text NOT NULL CHECK (scope IN ('all', 'agent', 'user', 'customer')),
    key          text NOT NULL DEFAULT '',
    period_from  timestamptz NOT NULL,
    period_to    timestamptz NOT NULL,
    limit_usd    numeric(14, 6),
    limit_tokens bigint,
    reserved_usd numeric(14, 6) NOT NULL DEFAULT 0,
    spent_usd    numeric(14, 6) NOT NULL DEFAULT 0,
    reserved_tokens bigint NOT NULL DEFAULT 0,
    spent_tokens bigint NOT NULL DEFAULT 0,
    CONSTRAINT budget_period CHECK (period_from < period_to),
    CONSTRAINT one_budget_per_period UNIQUE (scope, key, period_from)
);

-- What happened to an execution and what people did about it. Append-only, chained by hash.
CREATE TABLE agent_audit (
    execution_id  uuid NOT NULL REFERENCES agent_executions,
    seq           integer NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    event         text NOT NULL,
    actor_id      uuid REFERENCES accounts_user,
    detail        jsonb NOT NULL DEFAULT '{}',  -- digests of payloads, never payloads
    prev_hash     text NOT NULL,
    hash          text NOT NULL,
    PRIMARY KEY (execution_id, seq)
);

-- One hash over all chains' heads, hourly: a tail cut off later shows.
CREATE TABLE agent_audit_seals (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    executions  bigint NOT NULL,
    events      bigint NOT NULL,
    heads_hash  text NOT NULL,
    prev_hash   text NOT NULL
);
