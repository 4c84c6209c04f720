"""Users by the thousand: what is taken of those that are to be inserted, and inserting them."""
