/**
 * One server a clone: the state folder holds a lock that names the process and its address. A lock whose process is
 * gone (kill -9, power cut) is taken over. Process numbers come back, so the lock also keeps when its process started.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processStart } from "#util/process.ts";
import { UserError } from "../errors.ts";

interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly url: string;
}

export interface Instance extends Disposable {
  /** Told to whoever starts a second one. */
  announce(url: string): void;
}

export function claimInstance(stateDir: string): Instance {
  mkdirSync(stateDir, { recursive: true, mode: 0o750 });
  const file = join(stateDir, "server.lock");
  const write = (url: string, flag: "wx" | "w"): void => {
    const holder: Holder = { pid: process.pid, started: processStart(process.pid) ?? "", url };
    writeFileSync(file, JSON.stringify(holder), { flag, mode: 0o600 });
  };
  for (let attempt = 0; ; attempt++) {
    try {
      write("", "wx");
      return { announce: (url) => write(url, "w"), [Symbol.dispose]: () => rmSync(file, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST") || attempt > 3) throw error;
    }
    const holder = readHolder(file);
    if (holder && processStart(holder.pid) === holder.started) {
      const where = holder.url === "" ? "and is still starting" : `at ${holder.url}`;
      throw new UserError(`A server of this clone runs already (process ${holder.pid}) ${where}.`);
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    const holder = value as Partial<Holder>;
    if (typeof holder.pid !== "number" || typeof holder.started !== "string") return undefined;
    return { pid: holder.pid, started: holder.started, url: String(holder.url ?? "") };
  } catch {
    return undefined;
  }
}
