DROP TRIGGER tools_document_final ON tools_document;
DROP FUNCTION tools_document_is_final();
DROP TRIGGER tools_regulator_version ON tools_regulator;
DROP TRIGGER tools_customer_version ON tools_customer;
DROP FUNCTION tools_raise_version();
