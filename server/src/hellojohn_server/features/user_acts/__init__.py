"""What is done to users' access: disable, ban, unlock, recycle bin, sessions, password; each for any number."""
