"""The rules of this house that no general linter knows, each a function from the sources to what breaks it.

CONTRIBUTING.md says what the rules are for. `python -m tools.lint` runs all of them.
"""
