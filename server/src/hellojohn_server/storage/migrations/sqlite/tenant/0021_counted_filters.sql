-- Of this version PostgreSQL alone has new indexes.
SELECT 1;
