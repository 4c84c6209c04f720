"""Users: creating, reading, changing, disabling and enabling one, and the counters over all of them."""
