"""Roles: the built-in ones and a tenant's own. They describe users to the application and grant nothing in this API."""
