"""Sessions as administrators see them: listed, looked at, verified, ended one by one or all of a tenant."""
