// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** The same for every address: whether somebody has it is said to nobody. */
export interface EmailChange {
  accepted?: boolean;
}
