/** The rounds: load, kill, restart, settle, check. */
import { seededRand } from "#cryptorand/seeded.ts";
import { realClock as clock } from "#quartz/clock.ts";
import { check } from "./checks.ts";
import { type Ledger, newLedger } from "./ledger.ts";
import { agentLines, build, churn, createWorkspace, followBuild, tokens } from "./load.ts";
import { type Rig, startRig } from "./rig.ts";
import { CounterSession } from "./sessions.ts";
import { strike, type StrikeKind, strikeKinds } from "./strike.ts";
import { pause, until } from "./wait.ts";

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: string;
  /** Only these are killed. */
  readonly kinds?: readonly StrikeKind[];
  readonly say: (line: string) => void;
}

export interface CrashResult {
  readonly violations: readonly string[];
  readonly builds: number;
  readonly logLines: number;
  /** Milliseconds from /healthz to the next number of an open session. */
  readonly resumed: readonly number[];
}

/** Long enough for the 15 s after which a dead daemon's job ends, and for the builds behind it. */
const settleMs = 90_000;
const resumeMs = 15_000;
const steadyCount = 2;
const churners = 3;

interface Steady {
  readonly name: string;
  readonly id: string;
  readonly agent: { readonly id: string; readonly token: string };
  readonly session: CounterSession;
}

export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const { rounds, seed, say } = options;
  const rand = seededRand(seed);
  const ledger = newLedger();
  const violations: string[] = [];
  const resumed: number[] = [];
  await using rig = await startRig();
  const steady: Steady[] = [];
  for (let n = 0; n < steadyCount; n++) steady.push(await newSteady(rig, ledger, `steady-${n}`));
  for (let round = 1; round <= rounds && violations.length === 0; round++) {
    const kinds = options.kinds ?? strikeKinds;
    const first = kinds[round <= kinds.length ? round - 1 : rand.int(kinds.length)] ?? "server";
    const plan: StrikeKind[] = rand.int(3) === 0 ? [first, kinds[rand.int(kinds.length)] ?? first] : [first];
    const began = clock.monotonic();
    const seen = await oneRound({
      rig,
      ledger,
      rand: seededRand(`${seed}/${round}`),
      steady,
      plan,
      resumed,
    }).catch(async (error: unknown) => [await fault(rig, error)]);
    violations.push(...seen.map((what) => `seed ${seed}, round ${round} (${plan.join(", ")}): ${what}`));
    const seconds = ((clock.monotonic() - began) / 1000).toFixed(1);
    say(
      `round ${round}: ${plan.join(", ")}; ${ledger.builds.size} builds so far; ${seconds} s; ${seen.length} violations`,
    );
  }
  if (violations.length === 0) violations.push(...(await tidy(rig, ledger)));
  if (violations.length > 0) {
    for (const name of ["server", "daemon", "clients"]) say(`--- end of ${name}.log\n${await rig.log(name)}`);
  }
  for (const { session } of steady) await session.close();
  return {
    violations,
    builds: ledger.builds.size,
    logLines: ledger.jobLogs.size + ledger.agentLogs.length,
    resumed,
  };
}

/** The harness found something gone that should be there: the server, most likely. */
async function fault(rig: Rig, error: unknown): Promise<string> {
  const server = rig.server();
  const life = server.alive() ? "runs" : `has ended with ${await server.ended}`;
  const { message, stack = "", cause } = error instanceof Error ? error : new Error(String(error));
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return `${message}${why}; the server ${life}; at ${stack.split("\n").slice(1, 4).join(" ").trim()}`;
}

interface Round {
  readonly rig: Rig;
  readonly ledger: Ledger;
  readonly rand: ReturnType<typeof seededRand>;
  readonly steady: Steady[];
  readonly plan: readonly StrikeKind[];
  readonly resumed: number[];
}

async function oneRound({ rig, ledger, rand, steady, plan, resumed }: Round): Promise<string[]> {
  const stop = new AbortController();
  const load = { rig, ledger, rand, signal: stop.signal };
  const running = [
    ...Array.from({ length: churners }, (_, n) => churn(load, `churn-${n}`)),
    tokens(load),
    ...steady.map(({ agent }) => agentLines(load, agent)),
  ];
  const lost = new Set<string>();
  const out: string[] = [];
  try {
    for (const kind of plan) {
      await pause(200 + rand.int(2_500));
      const { workspaces } = await strike(kind, { rig, rand, victims: steady.map(({ id }) => id) });
      for (const id of workspaces) lost.add(id);
      const back = clock.monotonic();
      await Promise.all(
        steady
          .filter(({ id }) => !lost.has(id))
          .map(async ({ session }) => {
            await until("", resumeMs, () => session.lastAt > back || session.problem() !== undefined).catch(
              () =>
                out.push(
                  `the session with ${session.workspace} stands still at ${session.last}, ${resumeMs / 1000} s after /healthz`,
                ),
            );
            resumed.push(session.lastAt - back);
          }),
      );
    }
    await pause(500 + rand.int(500));
  } catch (error) {
    // What does not come back in its time is a violation like any other.
    out.push(error instanceof Error ? error.message : String(error));
  } finally {
    stop.abort();
    await Promise.all(running);
  }
  for (const { id, session } of steady) {
    const problem = session.problem();
    if (problem !== undefined && !lost.has(id)) out.push(problem);
  }
  out.push(...(await settle(rig)));
  out.push(...(await check(rig, ledger)));
  for (const [n, { id, name, session }] of steady.entries()) {
    if (!lost.has(id) && session.problem() === undefined) continue;
    await session.close();
    steady[n] = await revive(rig, ledger, id, name);
  }
  return out;
}

async function settle({ sql }: Rig): Promise<string[]> {
  try {
    await until("all jobs have ended", settleMs, async () => {
      const open = await sql("SELECT id FROM provisioner_jobs WHERE completed_at IS NULL");
      if (open.length > 0) await pause(200);
      return open.length === 0;
    });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function newSteady(rig: Rig, ledger: Ledger, name: string): Promise<Steady> {
  const workspace = await createWorkspace({ rig, ledger }, name, {});
  await followBuild({ rig, ledger }, workspace.latest_build.id);
  return connected(rig, workspace.id, name);
}

/** What an operator does about a dead agent: he starts the workspace again. */
async function revive(rig: Rig, ledger: Ledger, id: string, name: string): Promise<Steady> {
  const made = await build({ rig, ledger }, id, "start");
  await followBuild({ rig, ledger }, made.id);
  return connected(rig, id, name);
}

async function connected(rig: Rig, id: string, name: string): Promise<Steady> {
  const [agent] = await rig.sql<{ id: string; token: string }>(
    `SELECT a.id, a.auth_token AS token FROM workspace_agents a JOIN workspace_resources r ON r.id = a.resource_id
     JOIN workspace_builds b ON b.job_id = r.job_id
     WHERE b.workspace_id = $1 AND NOT a.deleted ORDER BY b.build_number DESC LIMIT 1`,
    [id],
  );
  if (!agent) throw new Error(`workspace ${name} has no agent`);
  const session = new CounterSession(rig, name);
  await until(`the session with ${name} prints`, 30_000, () => {
    const problem = session.problem();
    if (problem !== undefined) throw new Error(problem);
    return session.last > 2;
  });
  return { name, id, agent, session };
}

/** At the end every workspace can be deleted, whatever happened to it, and nothing of any is left. */
async function tidy(rig: Rig, ledger: Ledger): Promise<string[]> {
  const rows = await rig.sql<{ id: string }>("SELECT id FROM workspaces WHERE NOT deleted");
  const out: string[] = [];
  for (const { id } of rows) {
    const made = await build({ rig, ledger }, id, "delete");
    const ended = await followBuild({ rig, ledger }, made.id);
    if (ended?.job.status !== "succeeded") {
      out.push(`workspace ${id} cannot be deleted at the end: ${ended?.job.error}`);
    }
  }
  return [...out, ...(await check(rig, ledger))];
}
