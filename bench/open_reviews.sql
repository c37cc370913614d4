-- Open reviews 1 to %(reviews)s of several tools, agents, risks and customers, put there in the order
-- in which the engine and people put them, past every trigger. Of twenty, nine are letters, six
-- record changes, two reports, two filings (one of them with one vote of two) and one a letter in
-- doubt. One in ten was launched by %(reviewer)s, who looks at the desk. Review 1 is a letter of an
-- execution of %(long)s steps.

INSERT INTO tools_customer (
    customer_id, name, kind, registration_number, email, phone, address, country, industry,
    risk_rating, politically_exposed, beneficial_owners, onboarded_on, updated_at)
SELECT 'C-' || 200000 + k, 'Customer ' || k || ' B.V.', 'company', 'NL' || 80000000 + k,
    'desk@customer-' || k || '.example', '+31 20 555 ' || 1000 + k, k || ' Canal Street, Delft', 'NL',
    'shipping', 'low', false, '[]', current_date - 900, now()
FROM generate_series(1, %(customers)s) k;

CREATE TEMP TABLE wanted ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS call_id, gen_random_uuid() AS review_id,
    'C-' || 200000 + 1 + n %% %(customers)s AS customer, 1 + n %% %(customers)s AS k,
    CASE WHEN n = 1 THEN 'send_email' WHEN n %% 20 = 0 THEN 'doubt'
         WHEN n %% 20 <= 2 THEN 'submit_to_regulator'
         WHEN n %% 20 <= 4 THEN 'generate_compliance_document'
         WHEN n %% 20 <= 10 THEN 'update_customer_record' ELSE 'send_email' END AS kind,
    CASE WHEN n = 1 THEN %(long)s ELSE 3 END AS steps,
    CASE WHEN n %% 10 = 7 THEN %(reviewer)s ELSE %(system)s END::uuid AS launcher,
    (%(agents)s::text[])[1 + n %% cardinality(%(agents)s::text[])] AS agent,
    (%(definitions)s::text[])[1 + n %% cardinality(%(agents)s::text[])] AS definition,
    now() - interval '2 days' * n / %(reviews)s - interval '10 minutes' AS at,
    now() + CASE WHEN n %% 20 = 3 THEN interval '50 minutes' WHEN n %% 3 = 0 THEN interval '20 hours'
                 ELSE interval '6 days' END + interval '1 second' * n AS due
FROM generate_series(1, %(reviews)s) n;

-- Each with its arguments; what the tool names as its target is at its version of now.
CREATE TEMP TABLE proposed ON COMMIT DROP AS
SELECT w.*, CASE w.kind WHEN 'doubt' THEN 'send_email' ELSE w.kind END AS tool,
    CASE w.kind WHEN 'submit_to_regulator' THEN 'idempotent' WHEN 'send_email' THEN 'once'
                WHEN 'doubt' THEN 'once' ELSE 'transactional' END AS effect,
    CASE w.kind WHEN 'submit_to_regulator' THEN 'high' WHEN 'update_customer_record' THEN
        CASE WHEN n %% 4 = 0 THEN 'low' ELSE 'medium' END ELSE 'medium' END AS risk,
    CASE w.kind WHEN 'submit_to_regulator' THEN 2 ELSE 1 END AS votes,
    CASE WHEN w.kind = 'submit_to_regulator' THEN %(regulator_version)s
         WHEN w.kind IN ('update_customer_record', 'generate_compliance_document') THEN '1' END AS target,
    CASE w.kind
    WHEN 'submit_to_regulator' THEN jsonb_build_object('regulator_id', %(regulator)s,
        'document_id', %(document)s, 'document_sha256', %(sha256)s, 'subject', 'Report ' || n)
    WHEN 'generate_compliance_document' THEN jsonb_build_object('customer_id', customer,
        'regulation_code', %(regulation)s, 'title', 'Report ' || n,
        'summary', repeat('The records were read, and say so. ', 20), 'findings', %(findings)s::jsonb)
    WHEN 'update_customer_record' THEN jsonb_build_object('customer_id', customer, 'version', 1,
        'reason', 'Message ' || n || ' says so', 'changes', jsonb_build_object(
            'phone', '+31 20 777 ' || 1000 + n, 'address', n || ' Harbour Road, Rotterdam'))
    ELSE jsonb_build_object('to', jsonb_build_array('desk@customer-' || k || '.example'),
        'subject', 'Your report ' || n, 'body', repeat('Dear customer, all of it is filed. ', 20),
        'attach_document_ids', '[]'::jsonb) END AS arguments
FROM wanted w;
ANALYZE proposed;

INSERT INTO agent_executions (
    id, user_id, launched_by, agent_type, input_data, definition_id, limits, created_at)
SELECT id, launcher, launcher, agent, jsonb_build_object('customer_id', customer), definition,
    %(limits)s, at
FROM proposed ORDER BY n;
UPDATE agent_executions e SET status = 'running', lease_owner = gen_random_uuid(), lease_token = 1
FROM proposed p WHERE e.id = p.id;

INSERT INTO agent_steps (
    execution_id, step_number, llm, request_digest, response, finish_reason, input_tokens,
    output_tokens, total_tokens, cost_usd, latency_ms, created_at)
SELECT id, s, 'gpt-5-mini', encode(sha256((n || ':' || s)::bytea), 'hex'),
    jsonb_build_object('text', 'I read the record; the next thing to do follows from it.',
        'reasoning', '[]'::jsonb, 'calls', jsonb_build_array(jsonb_build_object('id', 'call_' || s || '_0',
            'name', CASE WHEN s = steps THEN tool ELSE 'read_customer_record' END, 'arguments', '{}'))),
    'tool_calls', 900, 100, 1000, 0.0015, 500, at + make_interval(secs => s)
FROM proposed, generate_series(1, steps) s ORDER BY n, s;
DO $$ BEGIN  -- one by one, as the guard wants it
    FOR step IN 1..%(long)s LOOP
        UPDATE agent_executions e SET step_count = step_count + 1, token_count = token_count + 1000,
            cost_usd = cost_usd + 0.0015, active_ms = active_ms + 500
        FROM proposed p WHERE e.id = p.id AND step <= p.steps;
    END LOOP;
END $$;

INSERT INTO agent_tool_calls (
    execution_id, step_number, tool_name, tool_input, tool_output, status, latency_ms, called_at,
    started_at, finished_at, provider_call_id, effect)
SELECT id, s, 'read_customer_record', jsonb_build_object('customer_id', customer, 'part', s),
    jsonb_build_object('customer_id', customer, 'name', 'Customer ' || k || ' B.V.', 'version', 1,
        'notes', repeat('On file. ', 40)), 'succeeded', 5, at + make_interval(secs => s),
    at + make_interval(secs => s), at + make_interval(secs => s + 0.1), 'call_' || s || '_0', 'read'
FROM proposed, generate_series(1, steps - 1) s ORDER BY n, s;
INSERT INTO agent_tool_calls (
    id, execution_id, step_number, tool_name, tool_input, status, called_at, provider_call_id, effect,
    gated, review_id, target_version)
SELECT call_id, id, steps, tool, arguments, 'awaiting_review', at + make_interval(secs => steps),
    'call_' || steps || '_0', effect, true, review_id, target
FROM proposed ORDER BY n;
INSERT INTO agent_reviews (
    id, call_id, execution_id, tool_name, input_digest, required_votes, reason, risk, target_version,
    expires_at, created_at, customer_id)
SELECT p.review_id, call_id, p.id, tool, c.input_digest, votes, 'This tool always needs a person.', risk,
    target, due, at + make_interval(secs => steps),
    CASE WHEN tool = 'submit_to_regulator' THEN %(subject)s ELSE customer END
FROM proposed p JOIN agent_tool_calls c ON c.id = p.call_id ORDER BY n;
UPDATE agent_executions e SET open_reviews = 1 FROM proposed p WHERE e.id = p.id;
UPDATE agent_executions e SET status = 'awaiting_review', lease_owner = NULL
FROM proposed p WHERE e.id = p.id;

-- One colleague has voted on half of the filings, and approved the letters now in doubt.
INSERT INTO agent_review_votes (review_id, voter_id, vote, input_digest)
SELECT r.id, %(colleague)s, 'approve', r.input_digest
FROM proposed p JOIN agent_reviews r ON r.id = p.review_id WHERE p.kind = 'doubt' OR p.n %% 20 = 2;

CREATE TEMP TABLE doubted ON COMMIT DROP AS SELECT * FROM proposed WHERE kind = 'doubt';
UPDATE agent_reviews r SET status = 'approved' FROM doubted d WHERE r.id = d.review_id;
UPDATE agent_tool_calls c SET status = 'approved' FROM doubted d WHERE c.id = d.call_id;
UPDATE agent_executions e SET open_reviews = 0, status = 'pending' FROM doubted d WHERE e.id = d.id;
UPDATE agent_executions e SET status = 'running', lease_owner = gen_random_uuid(), lease_token = 2
FROM doubted d WHERE e.id = d.id;
UPDATE agent_tool_calls c SET status = 'running', started_at = clock_timestamp(),
    idempotency_key = encode(sha256((d.id || ':' || d.steps || ':0')::bytea), 'hex') FROM doubted d WHERE c.id = d.call_id;
UPDATE agent_tool_calls c SET status = 'in_doubt', error = 'TIMEOUT: nobody knows whether it left'
FROM doubted d WHERE c.id = d.call_id;
INSERT INTO agent_reviews (
    call_id, execution_id, tool_name, input_digest, kind, version, reason, risk, customer_id)
SELECT d.call_id, d.id, d.tool, c.input_digest, 'doubt', 2, 'Its outcome is hidden.', d.risk, d.customer
FROM doubted d JOIN agent_tool_calls c ON c.id = d.call_id ORDER BY n;
UPDATE agent_executions e SET open_reviews = 1 FROM doubted d WHERE e.id = d.id;
UPDATE agent_executions e SET status = 'awaiting_review', lease_owner = NULL
FROM doubted d WHERE e.id = d.id;
