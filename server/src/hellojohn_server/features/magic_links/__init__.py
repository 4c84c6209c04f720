"""Signing in by a mailed link, without a password."""
