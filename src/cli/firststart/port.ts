/** The port of a clone's server: the one it had, else 3000, else the next free one. Kept, so that links stay valid. */
import { createServer } from "node:net";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";

const first = 3000;
const tries = 100;

export async function pickPort(stateDir: string): Promise<number> {
  const file = join(stateDir, "port");
  const kept = readKept(file);
  if (kept !== undefined && (await isFree(kept))) return kept;
  for (let port = first; port < first + tries; port++) {
    if (!(await isFree(port))) continue;
    writeFileSync(file, String(port), { mode: 0o600 });
    return port;
  }
  throw new UserError(
    `no port from ${first} to ${first + tries - 1} is free; choose one with CODER_HTTP_ADDRESS`,
  );
}

function readKept(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, "utf8"));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}
