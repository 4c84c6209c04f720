"""What signed-in users do about themselves: profile, password, own sessions."""
