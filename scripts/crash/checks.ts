/** The invariants, checked when the load has stopped. Each violation is a sentence that says what was seen. */
import type { Ledger } from "./ledger.ts";
import { stateDigest } from "./load.ts";
import { isAgent, workspaceProcesses } from "./processes.ts";
import type { Rig } from "./rig.ts";

export async function check(rig: Rig, ledger: Ledger): Promise<string[]> {
  const found = await Promise.all([
    builds(rig, ledger),
    states(rig, ledger),
    jobLogs(rig, ledger),
    agentLogs(rig, ledger),
    tokens(rig, ledger),
    audits(rig, ledger),
    database(rig),
    processes(rig),
  ]);
  return found.flat();
}

/** Acknowledged builds are there, with their parameters, and have ended. */
async function builds({ sql }: Rig, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ id: string; parameters: Record<string, string>; completed: boolean }>(
    `SELECT b.id, j.completed_at IS NOT NULL AS completed,
       coalesce((SELECT jsonb_object_agg(p.name, p.value) FROM workspace_build_parameters p
                 WHERE p.workspace_build_id = b.id), '{}') AS parameters
     FROM workspace_builds b JOIN provisioner_jobs j ON j.id = b.job_id WHERE b.id = ANY($1::uuid[])`,
    [[...ledger.builds.keys()]],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return [...ledger.builds].flatMap(([id, { transition, workspaceId, parameters }]) => {
    const row = byId.get(id);
    if (!row) return [`build ${id} (${transition} of ${workspaceId}) was acknowledged and is gone`];
    const wrong = Object.entries(parameters).filter(([name, value]) => row.parameters[name] !== value);
    return wrong.map(
      ([name, value]) =>
        `build ${id} has ${name} = ${JSON.stringify(row.parameters[name])}, acknowledged was ${JSON.stringify(value)}`,
    );
  });
}

/** States of ended builds stay as they were shown; the state of a later build stands beside, never in place of it. */
async function states({ client, sql }: Rig, ledger: Ledger): Promise<string[]> {
  const out: string[] = [];
  for (const [id, digest] of [...ledger.states].slice(-60)) {
    const now = await stateDigest(client, id);
    if (now !== digest) out.push(`the state of build ${id} is another one than was shown`);
  }
  // A build that ended must leave what its workspace had: a start, or a failed anything, has resources to remove.
  const empty = await sql<{ id: string; transition: string }>(
    `SELECT b.id, b.transition::text AS transition FROM workspace_builds b
     JOIN provisioner_jobs j ON j.id = b.job_id
     LEFT JOIN workspace_build_states s ON s.workspace_build_id = b.id
     WHERE j.completed_at IS NOT NULL AND coalesce(length(s.state), 0) = 0 AND b.transition <> 'delete'
       AND EXISTS (SELECT FROM workspace_builds e JOIN workspace_build_states es ON es.workspace_build_id = e.id
                   WHERE e.workspace_id = b.workspace_id AND e.build_number < b.build_number
                     AND length(es.state) > 0)`,
  );
  for (const { id, transition } of empty) {
    out.push(`build ${id} (${transition}) ended without a state though its workspace had one`);
  }
  return out;
}

async function jobLogs({ sql }: Rig, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ id: string; output: string }>(
    "SELECT id, output FROM provisioner_job_logs WHERE id = ANY($1::bigint[])",
    [[...ledger.jobLogs.keys()]],
  );
  const byId = new Map(rows.map(({ id, output }) => [Number(id), output]));
  return [...ledger.jobLogs].flatMap(([id, output]) =>
    byId.get(id) === output ? [] : [`log line ${id} (${JSON.stringify(output)}) was shown and is gone`],
  );
}

async function agentLogs({ sql }: Rig, ledger: Ledger): Promise<string[]> {
  const agents = [...new Set(ledger.agentLogs.map(({ agentId }) => agentId))];
  const rows = await sql<{ output: string }>(
    "SELECT output FROM workspace_agent_logs WHERE agent_id = ANY($1::uuid[])",
    [agents],
  );
  const stored = new Set(rows.map(({ output }) => output));
  const lost = ledger.agentLogs.filter(({ output }) => !stored.has(output));
  return lost.length === 0
    ? []
    : [`${lost.length} of ${ledger.agentLogs.length} stored agent log lines are gone: ${lost[0]?.output}`];
}

async function tokens({ sql }: Rig, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ id: string }>("SELECT id FROM api_keys WHERE id = ANY($1)", [
    [...ledger.tokens.keys()],
  ]);
  const there = new Set(rows.map(({ id }) => id));
  return [...ledger.tokens].flatMap(([id, state]) =>
    there.has(id) === (state === "live") ? [] : [`token ${id} was acknowledged as ${state} and is not`],
  );
}

/** A row for each acknowledged change, and one, not two, for the end of each build. */
async function audits({ sql }: Rig, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ action: string; id: string; target: string }>(
    "SELECT action::text AS action, resource_id AS id, resource_target AS target FROM audit_logs",
  );
  const seen = new Set(rows.flatMap(({ action, id, target }) => [`${action} ${id}`, `${action} ${target}`]));
  const missing = ledger.audits
    .filter(({ action, target }) => !seen.has(`${action} ${target}`))
    .map(({ action, target }) => `the audit row of ${action} ${target} is missing`);
  const ends = await sql<{ id: string; transition: string; n: string; error: string | null }>(
    `SELECT b.id, b.transition::text AS transition, count(a.id) AS n, j.error
     FROM workspace_builds b JOIN provisioner_jobs j ON j.id = b.job_id AND j.completed_at IS NOT NULL
       -- Cancelled before it began: nothing was done.
       AND j.job_status <> 'canceled'
     LEFT JOIN audit_logs a ON a.resource_type = 'workspace_build' AND a.resource_id = b.id
     GROUP BY b.id, b.transition, j.error HAVING count(a.id) <> 1`,
  );
  return [
    ...missing,
    ...ends.map(
      ({ id, transition, n, error }) =>
        `the end of build ${id} (${transition}, ${error ?? "good"}) has ${n} audit rows`,
    ),
  ];
}

/** What must hold in the rows whatever happened. */
async function database({ sql }: Rig): Promise<string[]> {
  const rules: readonly (readonly [string, string])[] = [
    [
      "a workspace with two active builds",
      `SELECT workspace_id AS id FROM provisioner_jobs WHERE completed_at IS NULL AND workspace_id IS NOT NULL
       GROUP BY workspace_id HAVING count(*) > 1`,
    ],
    ["a job that has not ended", "SELECT id FROM provisioner_jobs WHERE completed_at IS NULL"],
    [
      "a build number that was left out",
      `SELECT workspace_id AS id FROM workspace_builds GROUP BY workspace_id HAVING max(build_number) <> count(*)`,
    ],
    [
      "a workspace without a build",
      "SELECT id FROM workspaces w WHERE NOT EXISTS (SELECT FROM workspace_builds b WHERE b.workspace_id = w.id)",
    ],
    [
      "a good deletion whose workspace is not deleted",
      `SELECT w.id FROM workspaces w JOIN workspace_builds b ON b.workspace_id = w.id
       JOIN provisioner_jobs j ON j.id = b.job_id
       WHERE b.transition = 'delete' AND j.job_status = 'succeeded' AND NOT w.deleted`,
    ],
    [
      "a good start without an agent",
      `SELECT b.id FROM workspace_builds b JOIN provisioner_jobs j ON j.id = b.job_id
       WHERE b.transition = 'start' AND j.job_status = 'succeeded' AND NOT EXISTS (
         SELECT FROM workspace_resources r JOIN workspace_agents a ON a.resource_id = r.id WHERE r.job_id = j.id)`,
    ],
    [
      "an agent of an earlier build that may still sign in",
      `SELECT a.id FROM workspace_agents a JOIN workspace_resources r ON r.id = a.resource_id
       JOIN workspace_builds b ON b.job_id = r.job_id
       WHERE NOT a.deleted AND EXISTS (
         SELECT FROM workspace_builds l JOIN provisioner_jobs j ON j.id = l.job_id AND j.job_status = 'succeeded'
         WHERE l.workspace_id = b.workspace_id AND l.build_number > b.build_number)`,
    ],
    [
      "an agent log whose length is wrong",
      `SELECT a.id FROM workspace_agents a WHERE a.logs_length <> coalesce(
         (SELECT sum(octet_length(l.output)) FROM workspace_agent_logs l WHERE l.agent_id = a.id), 0)`,
    ],
  ];
  const found = await Promise.all(
    rules.map(async ([what, text]) => (await sql<{ id: string }>(text)).map(({ id }) => `${what}: ${id}`)),
  );
  return found.flat();
}

/** Nothing runs for a workspace that was stopped or deleted, and no workspace has two agents. */
async function processes({ sql }: Rig): Promise<string[]> {
  const rows = await sql<{ id: string; transition: string; good: boolean }>(
    `SELECT DISTINCT ON (b.workspace_id) b.workspace_id AS id, b.transition::text AS transition,
       j.job_status = 'succeeded' AS good
     FROM workspace_builds b JOIN provisioner_jobs j ON j.id = b.job_id
     ORDER BY b.workspace_id, b.build_number DESC`,
  );
  const running = await workspaceProcesses();
  return rows.flatMap(({ id, transition, good }) => {
    const own = running.filter(({ workspaceId }) => workspaceId === id);
    const agents = own.filter(isAgent);
    if (good && transition !== "start" && own.length > 0) {
      return [
        `workspace ${id} is ${transition}ed and runs ${own.map(({ pid, command }) => `${pid} ${command}`).join(", ")}`,
      ];
    }
    return agents.length > 1 ? [`workspace ${id} has ${agents.length} agents`] : [];
  });
}
