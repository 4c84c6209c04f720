"""Figures about a tenant, from counters."""
