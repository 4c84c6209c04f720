/** The client. */

import type { ClientOptions } from "./options.js";
import { Resources } from "./resources/index.js";
import { Transport } from "./transport.js";

/**
 * A client of HelloJohn's API. Each method is one operation; the key names its tenant.
 *
 *     const hj = new HelloJohn({ secretKey: process.env.HELLOJOHN_SECRET_KEY! });
 *     const { data } = await hj.users.list({ email: "alice@example.com" });
 *
 * It holds no connection of its own, so one is enough for a program, and many do no harm.
 */
export class HelloJohn extends Resources {
  constructor(options: ClientOptions = {}) {
    super(new Transport(options));
  }

  /** Returns a client with other options in some places, such as another user's access token. */
  withOptions(options: ClientOptions): HelloJohn {
    return new HelloJohn(this.transport.optionsWith(options));
  }
}
