/**
 * The load: people who create, start, stop, delete, cancel, make tokens, send log lines. Each notes in the ledger what
 * was acknowledged. A request that fails is no violation (the server may be dead); the next one looks where things are.
 */
import { createHash } from "node:crypto";
import { type Client, ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ledger } from "./ledger.ts";
import type { Rig } from "./rig.ts";
import { pause } from "./wait.ts";

export interface LoadOptions {
  readonly rig: Rig;
  readonly ledger: Ledger;
  readonly rand: Rand;
  /** Ends the load after what each one is doing. */
  readonly signal: AbortSignal;
}

/** A request's own limit, so that a dead server holds nobody. */
const requestMs = 5_000;
const limit = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(requestMs) });

export async function createWorkspace(
  { rig, ledger }: Pick<LoadOptions, "rig" | "ledger">,
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<Workspace> {
  const workspace = await rig.client.call(contract.workspaces.create, {
    params: { user: "me" },
    body: {
      template_id: rig.templateId,
      template_version_id: zeroUuid,
      template_version_preset_id: zeroUuid,
      name,
      rich_parameter_values: pairs(values),
    },
    ...limit(),
  });
  noteBuild(ledger, workspace.latest_build, values);
  ledger.audits.push({ action: "create", target: workspace.id });
  return workspace;
}

export async function build(
  { rig, ledger }: Pick<LoadOptions, "rig" | "ledger">,
  workspaceId: string,
  transition: "start" | "stop" | "delete",
  values: Readonly<Record<string, string>> = {},
): Promise<WorkspaceBuild> {
  const made = await rig.client.call(contract.workspaces.createBuild, {
    params: { workspace: workspaceId },
    body: {
      template_version_id: zeroUuid,
      template_version_preset_id: zeroUuid,
      transition,
      rich_parameter_values: pairs(values),
    },
    ...limit(),
  });
  noteBuild(ledger, made, values);
  return made;
}

/** Waits for a build's end, then notes its state and its log. Undefined if the signal aborts first. */
export async function followBuild(
  { rig, ledger }: Pick<LoadOptions, "rig" | "ledger">,
  id: string,
  signal?: AbortSignal,
): Promise<WorkspaceBuild | undefined> {
  const params = { workspacebuild: id };
  while (!signal?.aborted) {
    const found = await rig.client
      .call(contract.workspacebuilds.get, { params, ...limit() })
      .catch(() => undefined);
    await noteLogs(rig.client, ledger, id).catch(() => {});
    if (found?.job.completed_at) {
      const digest = await stateDigest(rig.client, id).catch(() => undefined);
      if (digest !== undefined) ledger.states.set(id, digest);
      return found;
    }
    await pause(100, signal);
  }
  return undefined;
}

/** One person with one workspace after the other. */
export async function churn(options: LoadOptions, name: string): Promise<void> {
  const { rand, signal } = options;
  while (!signal.aborted) {
    // Requests fail while things are dead; what is lost shows in the checks.
    await churnOnce(options, name).catch(() => {});
    await pause(rand.int(200), signal);
  }
}

async function churnOnce(options: LoadOptions, name: string): Promise<void> {
  const { rig, rand, signal } = options;
  const found = await rig.client
    .call(contract.workspaces.getByName, { params: { user: "me", workspacename: name }, ...limit() })
    .catch((error: unknown) => {
      if (error instanceof ClientError && error.status === 404) return undefined;
      throw error;
    });
  const values = {
    startup: `echo started-${rand.int(1_000_000)}; sleep ${1000 + rand.int(1000)} & echo in the background`,
    isolate: rand.int(2) === 0 ? "true" : "false",
  };
  if (!found) {
    const made = await createWorkspace(options, name, values);
    await followBuild(options, made.latest_build.id, signal);
    return;
  }
  if (!found.latest_build.job.completed_at) {
    await followBuild(options, found.latest_build.id, signal);
    return;
  }
  const transition = (["start", "stop", "start", "stop", "delete"] as const)[rand.int(5)] ?? "stop";
  const made = await build(options, found.id, transition, transition === "start" ? values : {});
  if (rand.int(6) === 0) {
    await pause(rand.int(300), signal);
    await rig.client
      .call(contract.workspacebuilds.cancel, { params: { workspacebuild: made.id }, ...limit() })
      .catch(() => {});
  }
  await followBuild(options, made.id, signal);
}

/** Makes and deletes API tokens. */
export async function tokens({ rig, ledger, rand, signal }: LoadOptions): Promise<void> {
  const mine: { readonly id: string; readonly name: string }[] = [];
  while (!signal.aborted) {
    await pause(50 + rand.int(100), signal);
    try {
      const old = mine.length > 3 && rand.int(2) === 0 ? mine.shift() : undefined;
      if (old !== undefined) {
        // Until the answer is there it may be either.
        ledger.tokens.delete(old.id);
        await rig.client.call(contract.apikeys.delete, { params: { user: "me", keyid: old.id }, ...limit() });
        ledger.tokens.set(old.id, "deleted");
        ledger.audits.push({ action: "delete", target: old.name });
        continue;
      }
      const name = `t${rand.string(12).toLowerCase()}`;
      const { key } = await rig.client.call(contract.apikeys.createToken, {
        params: { user: "me" },
        body: { lifetime: 0, token_name: name },
        ...limit(),
      });
      const id = key.slice(0, 10);
      mine.push({ id, name });
      ledger.tokens.set(id, "live");
      ledger.audits.push({ action: "create", target: name });
    } catch {
      // The server is dead.
    }
  }
}

/** Sends lines to an agent's log, as the agent. */
export async function agentLines(
  { rig, ledger, rand, signal }: LoadOptions,
  agent: { readonly id: string; readonly token: string },
): Promise<void> {
  const client = rig.client.withToken(agent.token);
  while (!signal.aborted) {
    await pause(20 + rand.int(60), signal);
    const outputs = Array.from({ length: 1 + rand.int(4) }, () => `line ${rand.string(16)}`);
    try {
      await client.call(contract.workspaceagents.patchLogs, {
        body: {
          log_source_id: zeroUuid,
          logs: outputs.map((output) => ({ created_at: new Date(0), output, level: "info" as const })),
        },
        ...limit(),
      });
      for (const output of outputs) ledger.agentLogs.push({ agentId: agent.id, output });
    } catch {
      // The server is dead.
    }
  }
}

export async function stateDigest(client: Client, buildId: string): Promise<string> {
  const url = client.urlOf(contract.workspacebuilds.state, { params: { workspacebuild: buildId } });
  const answer = await fetch(url, { headers: { "Coder-Session-Token": client.token ?? "" }, ...limit() });
  if (answer.status !== 200) throw new Error(`the state answers ${answer.status}`);
  return createHash("sha256")
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest("hex");
}

async function noteLogs(client: Client, ledger: Ledger, buildId: string): Promise<void> {
  const params = { workspacebuild: buildId };
  for (const { id, output } of await client.call(contract.workspacebuilds.logs, { params, ...limit() })) {
    ledger.jobLogs.set(id, output);
  }
}

function noteBuild(ledger: Ledger, made: WorkspaceBuild, parameters: Readonly<Record<string, string>>): void {
  ledger.builds.set(made.id, {
    workspaceId: made.workspace_id,
    transition: made.transition,
    parameters,
  });
}

const pairs = (values: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
