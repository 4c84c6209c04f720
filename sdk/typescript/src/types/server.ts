// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** The process lives. */
export interface Health {
  status?: "ok";
}

/** A public key (RFC 7517, RFC 8037). `kid` is in the header of each token that it verifies. */
export interface JsonWebKey {
  kty?: "OKP";
  crv?: "Ed25519";
  alg?: "EdDSA";
  use?: "sig";
  kid: string;
  x: string;
}

/** Every key that an access token may be signed with now, and the next one if there is one already. */
export interface JsonWebKeySet {
  keys: JsonWebKey[];
}

/** The process can work. */
export interface Ready {
  status?: "ready";
}
