"""Sessions as rows: which are alive, and ending them. It knows users only by id; making sessions comes with sign-in."""
