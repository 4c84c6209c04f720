// An application of Hono whose routes ask for different things. It prints its port.

import { serve } from "@hono/node-server";
import { Hono } from "hono";

import { requireUser, type AuthVariables } from "@hellojohn/node/hono";
import { Verifier, type Verified } from "@hellojohn/node/verify";

const verifier = new Verifier(JSON.parse(process.argv[2]!));
const app = new Hono<{ Variables: Partial<AuthVariables> }>();
const whoever = ({ user_id, actor }: Verified) => ({ user_id, actor });

app.get("/open", (c) => c.json({ user_id: c.get("auth")?.user_id ?? null }));
app.get("/user", requireUser(verifier), (c) => c.json(whoever(c.get("auth"))));
app.get("/admin", requireUser(verifier, { role: "admin" }), (c) => c.json(whoever(c.get("auth"))));
app.get("/staff", requireUser(verifier, { role: ["admin", "member"] }), (c) => c.json(whoever(c.get("auth"))));
app.post("/pay", requireUser(verifier, { refuseImpersonated: true }), (c) => c.json(whoever(c.get("auth"))));
app.post("/write", requireUser(verifier, { refuseReadOnly: true }), (c) => c.json(whoever(c.get("auth"))));

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(JSON.stringify(port)));
