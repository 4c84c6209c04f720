"""Measurements: each prints a figure beside what it is compared with, taken in the same run."""
