-- A version that every change raises, whoever makes it: the tools, a person, plain SQL.
CREATE FUNCTION tools_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER tools_customer_version BEFORE UPDATE ON tools_customer
    FOR EACH ROW EXECUTE FUNCTION tools_raise_version();

CREATE TRIGGER tools_regulator_version BEFORE UPDATE ON tools_regulator
    FOR EACH ROW EXECUTE FUNCTION tools_raise_version();

-- Reviews, filings and mails point at documents by digest: what they point at stays as it was.
CREATE FUNCTION tools_document_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'document % never changes and is never deleted', OLD.document_id
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tools_document_final BEFORE UPDATE OR DELETE ON tools_document
    FOR EACH ROW EXECUTE FUNCTION tools_document_is_final();
