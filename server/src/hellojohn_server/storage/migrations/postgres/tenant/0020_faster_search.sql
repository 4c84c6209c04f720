-- Of this version SQLite alone has new indexes.
SELECT 1;
