"""Signing up, signing in, refreshing and signing out; and whom an access token stands for."""
