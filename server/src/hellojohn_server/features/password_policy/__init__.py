"""Which passwords may be chosen in a tenant. What was stored before stays good, and a hash cannot be judged."""
