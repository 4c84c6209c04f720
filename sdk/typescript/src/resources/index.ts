// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import { Resource } from "../resource.js";
import { Admin } from "./admin.js";
import { ApiKeys } from "./api-keys.js";
import { AuditLogs } from "./audit-logs.js";
import { Auth } from "./auth.js";
import { Mfa } from "./mfa.js";
import { Organizations } from "./organizations.js";
import { Revocations } from "./revocations.js";
import { Roles } from "./roles.js";
import { Server } from "./server.js";
import { Sessions } from "./sessions.js";
import { Tenants } from "./tenants.js";
import { Users } from "./users.js";

/** Everything that a client can do. */
export class Resources extends Resource {
  readonly admin: Admin = new Admin(this.transport);
  readonly apiKeys: ApiKeys = new ApiKeys(this.transport);
  readonly auditLogs: AuditLogs = new AuditLogs(this.transport);
  readonly auth: Auth = new Auth(this.transport);
  readonly mfa: Mfa = new Mfa(this.transport);
  readonly organizations: Organizations = new Organizations(this.transport);
  readonly revocations: Revocations = new Revocations(this.transport);
  readonly roles: Roles = new Roles(this.transport);
  readonly server: Server = new Server(this.transport);
  readonly sessions: Sessions = new Sessions(this.transport);
  readonly tenants: Tenants = new Tenants(this.transport);
  readonly users: Users = new Users(this.transport);
}
