/**
 * `npm run bench -- main-job [ROUNDS]`: what a person waits for, through `./coder` as they type it, against the server
 * that `npm start` runs in this clone (it must be running). Medians and worst in milliseconds, memory in MB.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/run.ts";

const rounds = Number(process.argv[2] ?? 7);

function coder(...args: string[]): void {
  const { status, stderr } = spawnSync(join(root, "coder"), args, { encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`coder ${args.join(" ")} ended with ${status}: ${stderr.slice(-500)}`);
}

function measure(name: string, work: () => void, between: () => void = () => {}): void {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
    between();
  }
  times.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [times[Math.floor(times.length / 2)], times.at(-1)];
  console.log(`${name.padEnd(44)}${median.toFixed(0).padStart(7)}${worst.toFixed(0).padStart(8)}`);
}

/** Of one process, from the lock file of the clone's server. */
function serverMemory(): number {
  const lock: unknown = JSON.parse(readFileSync(join(root, ".coder/server.lock"), "utf8"));
  const { pid } = lock as { pid: number };
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

console.log(`${"".padEnd(44)}${"median".padStart(7)}${"worst".padStart(8)}`);
coder("list");
measure("coder version (start of the program)", () => coder("version"));
measure("coder list", () => coder("list"));
coder("ssh", "dev", "--", "true");
measure("coder ssh dev -- true", () => coder("ssh", "dev", "--", "true"));
measure(
  "coder stop dev",
  () => coder("stop", "dev", "--yes"),
  () => coder("start", "dev", "--yes"),
);
coder("stop", "dev", "--yes");
measure(
  "coder start dev && coder ssh dev -- true",
  () => {
    coder("start", "dev", "--yes");
    coder("ssh", "dev", "--", "true");
  },
  () => coder("stop", "dev", "--yes"),
);
coder("start", "dev", "--yes");
console.log(`${"server memory (RSS, MB)".padEnd(44)}${serverMemory().toFixed(0).padStart(7)}`);
