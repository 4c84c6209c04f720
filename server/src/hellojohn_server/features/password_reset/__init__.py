"""New passwords by mail: for those who forgot theirs, and for those whom an administrator has choose another."""
