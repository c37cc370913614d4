DROP TRIGGER tell_closed ON agent_reviews;
DROP FUNCTION agent_reviews_tell_closed;
DELETE FROM agent_notifications WHERE stage <> 'opened';
ALTER TABLE agent_notifications
    ADD CONSTRAINT agent_notifications_review_id_key UNIQUE (review_id),
    DROP CONSTRAINT one_per_stage,
    DROP COLUMN stage,
    DROP COLUMN at_percent;
