-- How many users have a start of a word decides the plan: most of the starts are to be known.
ALTER TABLE users ALTER COLUMN search_prefixes SET STATISTICS 1000;
