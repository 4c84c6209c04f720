"""Everything that is held about one person, as one document."""
