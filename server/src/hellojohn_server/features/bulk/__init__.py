"""Acts on many users at once: one transaction, and the same number of statements however many."""
