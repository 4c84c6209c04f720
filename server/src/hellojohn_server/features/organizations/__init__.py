"""Organizations of a tenant, and who is in them as what."""
