/**
 * The recorded list filters: each set's objects become rows of a table, with the columns that such rows have in the
 * product; the compiled predicate then picks from them in PostgreSQL.
 */
import pg from "pg";
import { clientConfig } from "#coderd/database/connection.ts";
import { filterColumns } from "#coderd/database/dbauthz/columns.ts";
import { startTestCluster } from "#coderd/database/dbtestutil/cluster.ts";
import type { FilterColumns } from "#coderd/rbac/filter.ts";
import { filterFor, type Subject } from "#coderd/rbac/subject.ts";
import type { FilterLine, ObjectLine, SetLine } from "../rbac.ts";

export interface FilterRecording {
  readonly objects: ReadonlyMap<number, ObjectLine>;
  readonly sets: ReadonlyMap<string, SetLine>;
  readonly filters: readonly FilterLine[];
}

/** What is not as recorded. */
export async function filterFailures(
  recording: FilterRecording,
  subjects: ReadonlyMap<number, Subject>,
): Promise<string[]> {
  await using cluster = await startTestCluster();
  const client = new pg.Client(clientConfig(cluster.connection));
  await client.connect();
  try {
    for (const set of recording.sets.values()) await fill(client, set, recording.objects);
    const failures: string[] = [];
    for (const line of recording.filters) {
      const problem = await check(client, recording, subjects, line).catch((error: unknown) => String(error));
      if (problem !== undefined) failures.push(`filter ${line.slice(0, 3).join(" ")}: ${problem}`);
    }
    return failures;
  } finally {
    await client.end();
  }
}

const tableOf = (set: string): string => `"set_${set.replaceAll(/[^a-z_]/g, "")}"`;

/** Workspaces and tasks keep actions under a key. */
const isDeep = (type: string): boolean => type === "workspace" || type === "task";

async function fill(
  client: pg.Client,
  set: SetLine,
  objects: ReadonlyMap<number, ObjectLine>,
): Promise<void> {
  const idType = set.set === "api_key" ? "text" : "uuid";
  await client.query(
    `CREATE TABLE ${tableOf(set.set)} (k int, id ${idType}, organization_id uuid, owner_id uuid, user_id uuid,
       created_by uuid, user_acl jsonb, group_acl jsonb)`,
  );
  for (let k = 0; k < set.count; k++) {
    const object = objects.get(set.first + k);
    if (!object) throw new Error(`the set ${set.set} names object ${set.first + k}, which the file lacks`);
    const { type, owner = null } = object;
    const acl = (lists: ObjectLine["users"]): string =>
      JSON.stringify(
        isDeep(type)
          ? Object.fromEntries(Object.entries(lists ?? {}).map(([id, permissions]) => [id, { permissions }]))
          : (lists ?? {}),
      );
    await client.query(`INSERT INTO ${tableOf(set.set)} VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, [
      k,
      object.id ?? null,
      object.org ?? null,
      owner,
      type === "organization_member" ? object.id : owner,
      owner,
      acl(object.users),
      acl(object.groups),
    ]);
  }
}

/** As in the product; daemons of one user are recorded with their owner, which no list of ours needs. */
function columnsOf(type: string): FilterColumns {
  const columns = filterColumns(type, "t");
  return type === "provisioner_daemon" ? { ...columns, owner: "t.owner_id" } : columns;
}

async function check(
  client: pg.Client,
  { objects, sets }: FilterRecording,
  subjects: ReadonlyMap<number, Subject>,
  [s, action, name, expected]: FilterLine,
): Promise<string | undefined> {
  const subject = subjects.get(s);
  const set = sets.get(name);
  const type = set && objects.get(set.first)?.type;
  if (!subject || !set || type === undefined) return "names a subject or a set that the file lacks";
  const filter = filterFor(subject, action, type, columnsOf(type));
  const found = await pick(client, set, filter);
  const [want, got] = [expected.join(" "), found.join(" ")];
  return want === got ? undefined : `picks [${got}], recorded [${want}]`;
}

async function pick(
  client: pg.Client,
  set: SetLine,
  filter: ReturnType<typeof filterFor>,
): Promise<number[]> {
  if (filter === false) return [];
  if (filter === true) return Array.from({ length: set.count }, (_, k) => k);
  const { rows } = await client.query<{ k: number }>(
    `SELECT k FROM ${tableOf(set.set)} t WHERE ${filter.text} ORDER BY k`,
    [...filter.values],
  );
  return rows.map(({ k }) => k);
}
