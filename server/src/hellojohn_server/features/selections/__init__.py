"""Who is meant by an act on many users: those found by a query or named, and who of them is left out."""
