"""Tests of features/keys."""
