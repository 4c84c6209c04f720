"""Tests of the storage core."""
