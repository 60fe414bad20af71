/**
 * `npm run bench -- main-job [ROUNDS]`: what a person waits for, against the server that `npm start` runs in this clone (it
 * must be running): create → first ssh command answered, by the API from a program and through `./coder` as people type
 * it; where that time goes; and the everyday commands. Milliseconds, beside upstream's (on another engine: Terraform).
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, ClientError, newClient } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { dialAgent } from "#codersdk/workspacesdk/dial.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { dialSsh, openSession } from "#ssh/client.ts";
import { root } from "../scripts/run.ts";

const rounds = Number(process.argv[2] ?? 7);
const config = (name: string): string => readFileSync(join(root, ".coder/config", name), "utf8").trim();
const zeroUuid = "00000000-0000-0000-0000-000000000000";
const signal = new AbortController().signal;
/** Polls stand for a client that watches: this often. */
const pollMs = 10;

const width = 46;
function row(name: string, times: readonly number[], upstream = ""): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN).toFixed(0).padStart(7);
  console.log(`${name.padEnd(width)}${at(0.5)}${at(0.95)}${at(1)}${upstream.padStart(10)}`);
}

function coder(...args: string[]): void {
  const { status, stderr } = spawnSync(join(root, "coder"), args, { encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`coder ${args.join(" ")} ended with ${status}: ${stderr.slice(-500)}`);
}

function measure(name: string, upstream: string, work: () => void, between: () => void = () => {}): void {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
    between();
  }
  row(name, times, upstream);
}

const name = (): string => `bench-${cryptoRand.string(8, "abcdefghijklmnopqrstuvwxyz0123456789")}`;

/** One workspace from the request to the answer of `true`; the marks are milliseconds since the request. */
async function createByApi(client: Client, templateId: string): Promise<Record<string, number>> {
  const begin = performance.now();
  const marks: Record<string, number> = {};
  const mark = (what: string): void => void (marks[what] = performance.now() - begin);
  const created = await client.call(contract.workspaces.create, {
    params: { user: "me" },
    body: {
      template_id: templateId,
      template_version_id: zeroUuid,
      template_version_preset_id: zeroUuid,
      name: name(),
    },
  });
  mark("request answered");
  const workspace = await built(client, created);
  mark("build done, as a client sees it");
  const agentId = workspace.latest_build.resources.flatMap(({ agents }) => agents ?? [])[0]?.id ?? "";
  {
    await using agent = await dialAgent({
      url: client.url,
      token: client.token ?? "",
      agentId,
      clock: realClock,
      rand: cryptoRand,
      log: discardLogger,
      signal,
    });
    mark("agent answers in the tunnel");
    const ssh = await dialSsh(await agent.ssh());
    mark("ssh is ready");
    const { channel, exited } = await openSession(ssh, "true");
    channel.resume();
    if ((await exited) !== 0) throw new Error("`true` failed in the workspace");
    mark("create → first ssh command answered (API)");
    ssh.end();
  }
  await client.call(contract.workspaces.createBuild, {
    params: { workspace: workspace.id },
    body: { template_version_id: zeroUuid, template_version_preset_id: zeroUuid, transition: "delete" },
  });
  await gone(client, workspace.id);
  return marks;
}

async function built(client: Client, { id }: Workspace): Promise<Workspace> {
  for (;;) {
    const workspace = await client.call(contract.workspaces.get, { params: { workspace: id } });
    const { status, error } = workspace.latest_build.job;
    if (status === "succeeded") return workspace;
    if (status === "failed" || status === "canceled") throw new Error(`the build ended: ${status} ${error}`);
    await realClock.sleep(pollMs);
  }
}

async function gone(client: Client, id: string): Promise<void> {
  try {
    for (;;) {
      await client.call(contract.workspaces.get, { params: { workspace: id } });
      await realClock.sleep(50);
    }
  } catch (error) {
    if (!(error instanceof ClientError) || error.status !== 410) throw error;
  }
}

/** Of one process, from the lock file of the clone's server. */
function serverMemory(): number {
  const lock: unknown = JSON.parse(readFileSync(join(root, ".coder/server.lock"), "utf8"));
  const { pid } = lock as { pid: number };
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

console.log(
  `${"".padEnd(width)}${"p50".padStart(7)}${"p95".padStart(7)}${"worst".padStart(7)}${"upstream".padStart(10)}`,
);
const client = newClient({ url: config("url"), token: config("session") });
const templates = await client.call(contract.templates.list, {});
const templateId = templates.find((template) => template.name === "local")?.id ?? "";
const all: Record<string, number>[] = [];
for (let round = 0; round < rounds; round++) all.push(await createByApi(client, templateId));
for (const mark of Object.keys(all[0] ?? {})) {
  const last = mark.startsWith("create");
  row(
    last ? mark : `  ${mark}`,
    all.map((marks) => marks[mark] ?? NaN),
    last ? "1600" : "",
  );
}
const made: string[] = [];
measure("coder create && coder ssh -- true", "2500", () => {
  const workspace = name();
  made.push(workspace);
  coder("create", workspace, "--template", "local", "--use-parameter-defaults", "--yes");
  coder("ssh", workspace, "--", "true");
});
for (const workspace of made) coder("delete", workspace, "--yes");
measure("coder version (start of the program)", "", () => coder("version"));
measure("coder list", "", () => coder("list"));
coder("ssh", "dev", "--", "true");
measure("coder ssh dev -- true", "231", () => coder("ssh", "dev", "--", "true"));
measure(
  "coder stop dev",
  "2740",
  () => coder("stop", "dev", "--yes"),
  () => coder("start", "dev", "--yes"),
);
coder("stop", "dev", "--yes");
measure(
  "coder start dev && coder ssh dev -- true",
  "1520",
  () => {
    coder("start", "dev", "--yes");
    coder("ssh", "dev", "--", "true");
  },
  () => coder("stop", "dev", "--yes"),
);
coder("start", "dev", "--yes");
console.log(`${"server memory (RSS, MB)".padEnd(width)}${serverMemory().toFixed(0).padStart(7)}`);
