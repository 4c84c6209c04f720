"""The SDKs against running servers."""
