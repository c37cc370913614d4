DROP INDEX reviews_by_customer;
