"""Files of users as we and other identity services write them: from bytes to rows, and from a row to a user."""
