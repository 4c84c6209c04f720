"""The TypeScript SDK, as it is installed from its own archive."""
