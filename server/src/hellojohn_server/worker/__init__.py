"""Housekeeping beside the server: finds tenants with work that is due, and does it in small steps."""
