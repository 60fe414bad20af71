/**
 * Recorded decisions of the stock server's authorizer, and its list filters. Decisions are answered by the compiled
 * evaluator, filters by the compiled predicate in PostgreSQL on inserted rows. Format: first line of the file.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { type Acl, allows } from "#coderd/rbac/access.ts";
import type { Subject } from "#coderd/rbac/subject.ts";
import type { VectorResult } from "../vectors.ts";
import { filterFailures } from "./rbac/filters.ts";
import { type Orgs, type SubjectLine, subjectMaker } from "./rbac/subjects.ts";

export interface ObjectLine {
  readonly o: number;
  readonly type: string;
  readonly id?: string;
  readonly owner?: string;
  readonly org?: string;
  readonly any_org?: boolean;
  readonly users?: Acl;
  readonly groups?: Acl;
}

export interface SetLine {
  readonly set: string;
  readonly first: number;
  readonly count: number;
}

/** Subject, action, set, positions in the set that pass. */
export type FilterLine = readonly [number, string, string, readonly number[]];

type Decision = readonly [number, string, number, 0 | 1];

interface Recording {
  readonly orgs: Orgs;
  readonly subjects: Map<number, SubjectLine>;
  readonly objects: Map<number, ObjectLine>;
  readonly sets: Map<string, SetLine>;
  readonly decisions: Decision[];
  readonly filters: FilterLine[];
  readonly unknown: string[];
}

export async function run(args: readonly string[]): Promise<VectorResult> {
  const failures: string[] = [];
  let of = 0;
  for (const file of args.filter((arg) => !arg.startsWith("-"))) {
    const recording = await read(file);
    const make = await subjectMaker(file, recording.orgs);
    const subjects = new Map<number, Subject>();
    for (const line of recording.subjects.values()) subjects.set(line.s, make(line));
    failures.push(...recording.unknown, ...decide(recording, subjects));
    if (recording.filters.length > 0) failures.push(...(await filterFailures(recording, subjects)));
    of += recording.decisions.length + recording.filters.length + recording.unknown.length;
  }
  return { equal: of - failures.length, of, notYet: 0, failures };
}

function decide({ decisions, objects }: Recording, subjects: ReadonlyMap<number, Subject>): string[] {
  const failures: string[] = [];
  for (const [s, action, o, expected] of decisions) {
    const subject = subjects.get(s);
    const line = objects.get(o);
    if (!subject || !line) {
      failures.push(`decision names subject ${s} or object ${o}, which the file lacks`);
      continue;
    }
    const { type, id, owner, org, any_org: anyOrg, users: userAcl, groups: groupAcl } = line;
    const answer = allows(subject.access, action, { type, id, owner, org, anyOrg, userAcl, groupAcl });
    if (answer !== (expected === 1)) {
      failures.push(`subject ${s} ${action} ${type} (object ${o}): ${answer}, recorded ${expected === 1}`);
    }
  }
  return failures;
}

async function read(file: string): Promise<Recording> {
  const out: Recording & { orgs: Orgs } = {
    orgs: {},
    subjects: new Map(),
    objects: new Map(),
    sets: new Map(),
    decisions: [],
    filters: [],
    unknown: [],
  };
  const raw = createReadStream(file);
  const input = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
  for await (const text of createInterface({ input })) {
    if (text === "") continue;
    const line = JSON.parse(text);
    if (Array.isArray(line)) out.decisions.push(line as unknown as Decision);
    else if ("about" in line) continue;
    else if ("orgs" in line) out.orgs = line.orgs;
    else if ("filter" in line) out.filters.push(line.filter);
    else if ("set" in line) out.sets.set(line.set, line);
    else if ("s" in line) out.subjects.set(line.s, line);
    else if ("o" in line) out.objects.set(line.o, line);
    else out.unknown.push(`a line of an unknown kind: ${text.slice(0, 120)}`);
  }
  return out;
}
