"""The server's tests; folders mirror the source."""
