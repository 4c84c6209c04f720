"""Plans: what an act on many users would do, and to whom exactly, before anything is done."""
