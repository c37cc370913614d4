-- What breaks each promise. Above each statement: the promise, the row that must be named, a
-- piece of what must be said of it, and, where one is in the way, the constraint that goes first.
-- %(name)s are ids that test_invariants.py gives; a statement ends with an empty line.

-- I1 | execution %(awaiting)s | none is open
WITH r AS (UPDATE agent_reviews SET status = 'void'
WHERE execution_id = %(awaiting)s)
UPDATE agent_executions SET updated_at = now() - interval '10 minutes'
WHERE id = %(awaiting)s

-- I1 | execution %(running)s | does not exist
UPDATE agent_executions
SET lease_owner = gen_random_uuid(), updated_at = now() - interval '10 minutes'
WHERE id = %(running)s

-- I1 | execution %(pending)s | runners have room
UPDATE agent_executions SET updated_at = now() - interval '10 minutes' WHERE id = %(pending)s

-- I2 | execution %(running)s | lease token is 2
UPDATE agent_executions SET lease_token = 2 WHERE id = %(running)s

-- I2 | execution %(pending)s | pending with a lease | agent_executions lease_only_while_running
UPDATE agent_executions SET lease_owner = gen_random_uuid() WHERE id = %(pending)s

-- I2 | execution %(completed)s | claim 2 has lease token 3
UPDATE agent_audit SET detail = jsonb_set(detail, '{lease_token}', '3')
WHERE execution_id = %(completed)s AND event = 'running' AND detail ->> 'lease_token' = '2'

-- I2 | step 1 of execution %(running)s | by a runner taken for dead
UPDATE agent_runners SET dead_at = now() - interval '10 minutes'

-- I3 | execution %(completed)s | numbered 1 to 9
UPDATE agent_steps SET step_number = 9 WHERE execution_id = %(completed)s AND step_number = 4

-- I3 | execution %(completed)s | steps after
UPDATE agent_audit SET detail = jsonb_set(detail, '{steps}', '7')
WHERE execution_id = %(completed)s
  AND event = 'awaiting_review'
  AND detail ->> 'steps' = '2'

-- I4 | execution %(completed)s | it counts 5 steps
UPDATE agent_executions SET step_count = 5 WHERE id = %(completed)s

-- I4 | execution %(completed)s | 4001 tokens
UPDATE agent_executions SET token_count = 4001 WHERE id = %(completed)s

-- I4 | execution %(completed)s | 0.100000 USD
UPDATE agent_executions SET cost_usd = 0.1 WHERE id = %(completed)s

-- I4 | step 1 of execution %(running)s | asks for 1 calls, and 0
DELETE FROM agent_tool_calls WHERE execution_id = %(running)s

-- I4 | call %(reading)s | no step 8
UPDATE agent_tool_calls SET step_number = 8 WHERE id = %(reading)s

-- I4 | call %(filing)s | written
UPDATE agent_tool_calls SET finished_at = now() - interval '10 minutes' WHERE id = %(filing)s

-- I4 | call %(reading)s | although its execution is completed
UPDATE agent_tool_calls SET status = 'running', finished_at = NULL WHERE id = %(reading)s

-- I5 | call %(filing)s | without an approved review | agent_tool_calls started_under_its_approved_review
UPDATE agent_reviews SET status = 'rejected' WHERE call_id = %(filing)s

-- I5 | call %(filing)s | without an approved review of exactly | agent_tool_calls started_under_its_approved_review
UPDATE agent_tool_calls SET tool_input = '{}', proposed_input = '{}' WHERE id = %(filing)s

-- I5 | call %(letter)s | without an approved review | agent_tool_calls started_under_its_approved_review
UPDATE agent_tool_calls SET started_at = clock_timestamp(), idempotency_key = 'k'
WHERE id = %(letter)s

-- I5 | call %(filing)s | with 1 of 2 votes
DELETE FROM agent_review_votes WHERE voter_id = %(omar)s

-- I5 | call %(filing)s | with 1 of 2 votes
UPDATE agent_executions SET launched_by = %(rita)s WHERE id = %(completed)s

-- I5 | call %(filing)s | with 1 of 2 votes
UPDATE agent_review_votes SET created_at = clock_timestamp() + interval '1 hour'
WHERE voter_id = %(omar)s

-- I5 | call %(filing)s | with 1 of 2 votes
UPDATE agent_review_votes SET withdrawn_at = clock_timestamp() WHERE id = %(ritas_vote)s

-- I5 | vote %(ritas_vote)s | after the approval
UPDATE agent_review_votes SET withdrawn_at = clock_timestamp() WHERE id = %(ritas_vote)s

-- I5 | vote %(ritas_vote)s | the audit trail has no word of it
UPDATE agent_review_votes SET withdrawn_at = created_at WHERE id = %(ritas_vote)s

-- I5 | vote %(ritas_vote)s | it is no approval
UPDATE agent_review_votes SET withdrawn_at = created_at, vote = 'drop' WHERE id = %(ritas_vote)s

-- I5 | call %(filing)s | its approval was given at
UPDATE agent_reviews SET decided_at = clock_timestamp() WHERE call_id = %(filing)s

-- I5 | call %(filing)s | in force from
UPDATE agent_reviews SET expires_at = now() - interval '10 minutes' WHERE call_id = %(filing)s

-- I5 | call %(filing)s | without a gate, which it always has
UPDATE agent_tool_calls SET gated = false, review_id = NULL WHERE id = %(filing)s

-- I5 | call %(doubted)s | nobody had approved its first start | agent_tool_calls started_under_its_approved_review
WITH a AS (
  UPDATE agent_reviews SET status = 'void' WHERE call_id = %(doubted)s AND kind = 'approval')
UPDATE agent_tool_calls
SET review_id = (SELECT id FROM agent_reviews WHERE call_id = %(doubted)s AND kind = 'doubt')
WHERE id = %(doubted)s

-- I5 | vote %(ritas_vote)s | who launched or edited this
UPDATE agent_executions SET launched_by = %(rita)s WHERE id = %(completed)s

-- I6 | call %(filing)s | not that of its place
UPDATE agent_tool_calls SET idempotency_key = 'mine' WHERE id = %(filing)s

-- I6 | key mine | 2 calls have it | agent_tool_calls one_row_per_key
UPDATE agent_tool_calls SET idempotency_key = 'mine'
WHERE effect <> 'read'
  AND started_at IS NOT NULL

-- I6 | call %(filing)s | without an idempotency key | agent_tool_calls started_change_has_key
UPDATE agent_tool_calls SET idempotency_key = NULL WHERE id = %(filing)s

-- I7 | execution %(completed)s | running after completed
INSERT INTO agent_audit (execution_id, seq, event, detail, prev_hash, hash)
SELECT execution_id, max(seq) + 1, 'running', '{"from": "completed"}', '', ''
FROM agent_audit
WHERE execution_id = %(completed)s GROUP BY 1

-- I7 | execution %(completed)s | it is failed, its audit trail ends with completed
UPDATE agent_executions SET status = 'failed', stop_reason = 'X' WHERE id = %(completed)s

-- I7 | call %(filing)s | succeeded without a finishing time
UPDATE agent_tool_calls SET finished_at = NULL WHERE id = %(filing)s

-- I7 | review %(open_review)s | it is open with a time of decision
UPDATE agent_reviews SET decided_at = now() WHERE id = %(open_review)s

-- I8 | execution %(completed)s | 4 of 3 steps
UPDATE agent_executions SET limits = limits || '{"max_steps": 3}' WHERE id = %(completed)s

-- I8 | execution %(completed)s | 3000 of 3000 tokens
UPDATE agent_executions SET limits = limits || '{"max_tokens": 3000}' WHERE id = %(completed)s

-- I8 | execution %(completed)s | 0.004500 of 0.0045 USD
UPDATE agent_executions SET limits = limits || '{"max_cost_usd": "0.0045"}'
WHERE id = %(completed)s

-- I8 | execution %(completed)s | 340001 of 300000 ms
UPDATE agent_executions SET active_ms = 340001 WHERE id = %(completed)s

-- I8 | step 1 of execution %(completed)s | 2 calls of it started; the limit is 1
UPDATE agent_executions SET limits = limits || '{"max_calls_per_step": 1}'
WHERE id = %(completed)s

-- I9 | call %(filing)s | after the cancel at
UPDATE agent_executions SET cancel_requested_at = now() - interval '10 minutes'
WHERE id = %(completed)s

-- I9 | call %(filing)s | tool submit_to_regulator is killed
INSERT INTO agent_controls (scope, key, state, changed_at)
VALUES ('tool', 'submit_to_regulator', 'killed', now() - interval '10 minutes')

-- I9 | call %(filing)s | after its execution was completed
UPDATE agent_executions SET completed_at = now() - interval '10 minutes' WHERE id = %(completed)s

-- I10 | call %(letter)s | rejected without a reason or a question
UPDATE agent_tool_calls SET tool_output = '{"by": "rita"}' WHERE id = %(letter)s

-- I10 | call %(reading)s | nobody edited them
UPDATE agent_tool_calls SET tool_input = '{"customer_id": "C-1002"}' WHERE id = %(reading)s

-- I11 | call %(reading)s | the LLM was asked again after it
UPDATE agent_tool_calls SET status = 'in_doubt', finished_at = NULL WHERE id = %(reading)s

-- I11 | execution %(completed)s | 2 calls have the id 'twice'
UPDATE agent_tool_calls SET provider_call_id = 'twice'
WHERE execution_id = %(completed)s
  AND step_number = 1

-- I11 | step 1 of execution %(completed)s | not in the order
UPDATE agent_tool_calls SET call_index = 7 WHERE id = %(reading)s

-- I11 | step 4 of execution %(completed)s | could read
UPDATE agent_steps SET response = '{}' WHERE execution_id = %(completed)s AND step_number = 4

-- I12 | execution %(completed)s | audit event 3 was altered
UPDATE agent_audit SET detail = '{}' WHERE execution_id = %(completed)s AND seq = 3

-- I12 | execution %(completed)s | audit event 4 does not follow
DELETE FROM agent_audit WHERE execution_id = %(completed)s AND seq = 3

-- I12 | execution %(pending)s | does not begin with its launch
DELETE FROM agent_audit WHERE execution_id = %(pending)s

-- I12 | execution %(completed)s | was sealed, and is gone
DELETE FROM agent_audit a WHERE execution_id = %(completed)s
  AND seq = (SELECT max(seq) FROM agent_audit b WHERE b.execution_id = a.execution_id)

-- I12 | execution %(completed)s | was sealed, and is gone or another
UPDATE agent_audit SET hash = 'rewritten' WHERE execution_id = %(completed)s AND event = 'completed'

-- I12 | seal %(seal)s | does not follow the one before
UPDATE agent_audit_seals SET prev_hash = 'another' WHERE id = %(seal)s

-- I12 | seal %(seal)s | its heads are not those sealed
DELETE FROM agent_audit_sealed WHERE execution_id = %(completed)s

-- I12 | execution %(completed)s | covers 0
WITH d AS (DELETE FROM agent_audit_sealed WHERE execution_id = %(completed)s)
UPDATE agent_audit_seals SET at = at + interval '1 hour'

-- I13 | execution %(running)s | its runner is gone since
WITH other AS (
  INSERT INTO agent_runners (host, pid, capacity, started_at, lease_until)
  SELECT 'there', 2, 10, started_at, lease_until FROM agent_runners)
UPDATE agent_runners SET dead_at = now() - interval '10 minutes', in_flight = 0

-- I13 | execution %(running)s | 6 attempts without progress
UPDATE agent_executions SET attempts = 6, updated_at = now() - interval '10 minutes'
WHERE id = %(running)s

-- I13 | review %(open_review)s | is still open
UPDATE agent_reviews SET expires_at = now() - interval '10 minutes' WHERE id = %(open_review)s

-- I14 | execution %(awaiting)s | counts 2 open reviews, and has 1
UPDATE agent_executions SET open_reviews = 2 WHERE id = %(awaiting)s

-- I14 | call %(waiting_letter)s | no review of it is open
UPDATE agent_reviews SET status = 'void' WHERE id = %(open_review)s

-- I14 | review %(open_review)s | its call is approved
UPDATE agent_tool_calls SET status = 'approved' WHERE id = %(waiting_letter)s

-- I14 | call %(waiting_letter)s | it is approved, but its review is open
UPDATE agent_tool_calls SET status = 'approved' WHERE id = %(waiting_letter)s

-- I14 | metrics of compliance_document_generator | the lists have 2, 1, 0, 1
DROP FUNCTION agent_health_metrics;
CREATE FUNCTION agent_health_metrics(agent_type text, since timestamptz)
RETURNS TABLE (executions bigint, completed bigint, failed bigint, cancelled bigint)
LANGUAGE sql AS 'SELECT 3::bigint, 1::bigint, 0::bigint, 1::bigint'

-- I15 | call %(filing)s | it holds OPENAI_API_KEY
UPDATE agent_tool_calls SET tool_output = to_jsonb('the key is sk-"secret"-123'::text)
WHERE id = %(filing)s

-- I15 | audit event %(completed)s 1 | it holds OPENAI_API_KEY
UPDATE agent_audit SET detail = to_jsonb('the key is sk-"secret"-123'::text)
WHERE execution_id = %(completed)s AND seq = 1

-- I15 | task a-task | it holds OPENAI_API_KEY
INSERT INTO django_q_task (id, name, func, started, stopped, success, attempt_count, result)
SELECT 'a-task', 'n', 'f', now(), now(), false, 1, encode('Traceback: sk-"secret"-123', 'base64')

-- I16 | execution %(completed)s | WRITE_REFUSED
UPDATE agent_executions SET stop_reason = 'WRITE_REFUSED', error = 'WRITE_REFUSED: x'
WHERE id = %(completed)s
