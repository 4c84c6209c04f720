// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** The kinds of second factor that can be begun for somebody else. */
export type EnrollableType = "totp";
