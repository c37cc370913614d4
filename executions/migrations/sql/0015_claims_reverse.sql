DROP INDEX reviews_decided;
ALTER TABLE agent_reviews DROP CONSTRAINT claims_have_an_end, DROP COLUMN customer_id;
DROP TABLE agent_review_claims;
DROP FUNCTION agent_review_claims_audit;
