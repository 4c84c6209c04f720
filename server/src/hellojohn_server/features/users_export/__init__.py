"""Exporting many users: every user that a filter selects, as lines."""
