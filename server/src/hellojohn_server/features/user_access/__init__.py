"""Acts on one user's access. They are those of user_acts; many at once are in bulk."""
