"""Tests of the door."""  # noqa: A005 - it mirrors the package of that name
