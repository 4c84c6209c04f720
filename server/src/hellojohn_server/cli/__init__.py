"""The `hj` commands: one file for each group. They work on the store itself, and changes are audited as `cli`."""
