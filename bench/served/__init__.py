"""The server over HTTP against the same statements on the bare engine. bench/README.md says what is compared."""
