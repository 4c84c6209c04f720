/** What every resource of the API is made of. */

import type { Transport } from "./transport.js";

export class Resource {
  protected readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }
}
