// An application of Express whose routes ask for different things. It prints its port.

import express, { type Request } from "express";

import { requireUser } from "@hellojohn/node/express";
import { Verifier } from "@hellojohn/node/verify";

const verifier = new Verifier(JSON.parse(process.argv[2]!));
const app = express();
const whoever = (req: Request) => ({ user_id: req.auth!.user_id, actor: req.auth!.actor });

app.get("/open", (req, res) => res.json({ user_id: req.auth?.user_id ?? null }));
app.get("/user", requireUser(verifier), (req, res) => res.json(whoever(req)));
app.get("/admin", requireUser(verifier, { role: "admin" }), (req, res) => res.json(whoever(req)));
app.get("/staff", requireUser(verifier, { role: ["admin", "member"] }), (req, res) => res.json(whoever(req)));
app.post("/pay", requireUser(verifier, { refuseImpersonated: true }), (req, res) => res.json(whoever(req)));
app.post("/write", requireUser(verifier, { refuseReadOnly: true }), (req, res) => res.json(whoever(req)));

const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(JSON.stringify(typeof address === "object" ? address?.port : null));
});
