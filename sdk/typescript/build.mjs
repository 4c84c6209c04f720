// Compiles src into dist/esm and dist/cjs, each with its declarations.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const kinds = {
  module: ["--outDir", "dist/esm"],
  commonjs: ["--outDir", "dist/cjs", "--module", "commonjs", "--moduleResolution", "bundler"],
};

rmSync(join(here, "dist"), { recursive: true, force: true });
for (const [type, options] of Object.entries(kinds)) {
  const ended = spawnSync(process.execPath, [compiler, ...options], { cwd: here, stdio: "inherit" });
  if (ended.status !== 0) process.exit(ended.status ?? 1);
  const directory = join(here, options[1]);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), `${JSON.stringify({ type })}\n`);
}
