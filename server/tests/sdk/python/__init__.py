"""The Python SDK against running servers, and its package."""
