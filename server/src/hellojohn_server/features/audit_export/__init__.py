"""Exporting the audit log: every entry that the filters select, as lines."""
