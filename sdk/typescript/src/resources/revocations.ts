// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { ListRevocationsParams } from "../params/index.js";
import { Resource } from "../resource.js";
import type { RevocationList } from "../types/index.js";

/** `hj.revocations` */
export class Revocations extends Resource {
  /**
   * List what verifiers are to refuse.
   *
   * Without `since` all that cannot be forgotten yet, else what came after that cursor. An entry may come twice; none
   * is ever left out, in whatever order changes are committed. With `Accept: text/event-stream` the same as Server-Sent
   * Events, which go on: `revocation` for each entry, and a `heartbeat` every second. `Last-Event-ID` is `since` then.
   *
   * Needs the scope `revocations:read`.
   */
  list(params: ListRevocationsParams = {}, options?: CallOptions): Promise<RevocationList> {
    return this.transport.json({ method: "GET", path: "/v1/revocations", query: params }, options);
  }
}
