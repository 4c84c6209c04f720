"""The single-use secrets in links that are mailed: rows, and their one use."""
