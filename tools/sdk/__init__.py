"""Writes what of the SDKs is generated, from sdk/openapi.json and sdk/methods.toml."""
