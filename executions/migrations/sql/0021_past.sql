-- What happened to one customer before, for whoever decides what happens next.
CREATE INDEX reviews_by_customer ON agent_reviews (customer_id, tool_name, created_at DESC);
