"""Organizations of a tenant and who is in them, as rows; the operations on them come with organizations themselves."""
