"""Tests of features/tenants."""
