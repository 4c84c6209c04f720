"""Acting in a user's place, for support: a session that a key begins, short and under both names."""
