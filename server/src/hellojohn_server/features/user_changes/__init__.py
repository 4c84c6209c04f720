"""Acts on many users at once that no act on one has: a role, metadata, and what undoes an act."""
