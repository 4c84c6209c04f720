"""What ends at its time: bans and locks, and what is thrown away after a while. Read, it has ended; this records it."""
