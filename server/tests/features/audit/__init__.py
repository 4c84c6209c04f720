"""Tests of features/audit."""
