"""API keys: made, shown once, listed, revoked at once everywhere; and whom a presented key stands for."""
