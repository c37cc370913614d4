-- Several notifications of one review: opened, reminded at a percent of its time, escalated, closed.

ALTER TABLE agent_notifications
    ADD COLUMN stage text NOT NULL DEFAULT 'opened',
    ADD COLUMN at_percent integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT known_stage CHECK (stage IN ('opened', 'reminded', 'escalated', 'closed')),
    ADD CONSTRAINT one_per_stage UNIQUE (review_id, stage, at_percent),
    DROP CONSTRAINT agent_notifications_review_id_key;

-- Only a webhook hears that a review is closed, and only if it heard of its opening, or is about to:
-- for all others there is no row.
CREATE FUNCTION agent_reviews_tell_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agent_notifications (review_id, stage, is_urgent)
    SELECT NEW.id, 'closed', false FROM agent_notifications n
    WHERE n.review_id = NEW.id AND n.stage = 'opened'
      AND (n.told @> '["webhook"]' OR n.closed_at IS NULL AND n.attempts > 0)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_closed AFTER UPDATE OF status ON agent_reviews
    FOR EACH ROW WHEN (OLD.status = 'open' AND NEW.status <> 'open')
    EXECUTE FUNCTION agent_reviews_tell_closed();

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION agent_reviews_tell_closed SET search_path = pg_catalog, %I,'
                   ' pg_temp', current_schema());
END $$;
