/**
 * The decision of `allows` as a SQL predicate over the rows of a list. What is the same for every row is folded first:
 * a subject who may read all adds nothing, one who may read none skips the query, and only parameters that are left
 * are numbered, because PostgreSQL refuses unused ones.
 */
import { type Access, cellOf, type Levels } from "./access.ts";
import { wildcard } from "./policy.ts";

/** Columns of the list's rows, as SQL. What is absent is constant: no id, no owner, no organization, no access list. */
export interface FilterColumns {
  readonly id?: string;
  readonly owner?: string;
  readonly org?: string;
  /** The organization can be NULL, which means none. */
  readonly orgNullable?: boolean;
  /** From the SQL of an id (text) to that of its list of actions (a jsonb array, or NULL). */
  readonly userAcl?: (id: string) => string;
  readonly groupAcl?: (id: string) => string;
}

export interface SqlFilter {
  /** Counts its own parameters: $1 … $n. */
  readonly text: string;
  readonly values: readonly unknown[];
}

type Term = boolean | ((bind: Bind) => string);
type Bind = (value: unknown, cast: string) => string;

/** `true`: every row. `false`: none, do not ask. */
export function compileFilter(
  access: Access,
  action: string,
  type: string,
  columns: FilterColumns,
): boolean | SqlFilter {
  const cell = cellOf(type, action);
  const roles = levelTerm(access, access.roles, cell, columns);
  const granted = roles === true ? true : or([roles, aclTerm(access, action, columns)]);
  const term = access.unlimited
    ? granted
    : and([granted, levelTerm(access, access.scope, cell, columns), allowTerm(access, type, columns)]);
  if (typeof term === "boolean") return term;
  const values: unknown[] = [];
  const known = new Map<string, string>();
  const text = term((value, cast) => {
    const key = `${cast} ${JSON.stringify(value)}`;
    const name = known.get(key) ?? `$${values.push(value)}::${cast}`;
    known.set(key, name);
    return name;
  });
  return { text, values };
}

function levelTerm(access: Access, levels: Levels, cell: number, columns: FilterColumns): Term {
  const site = levels.site[cell];
  if (site !== 0) return site === 1;
  const { org, owner } = columns;
  const everywhere: string[] = [];
  const ownOnly: string[] = [];
  for (const [id, votes] of levels.byOrg) {
    if (votes.org[cell] === 1) everywhere.push(id);
    else if (votes.org[cell] === 0 && votes.member[cell] === 1) ownOnly.push(id);
  }
  const inOrgs = (ids: readonly string[]): Term =>
    org !== undefined && ids.length > 0 ? (bind) => `${org} = ANY(${bind(ids, "uuid[]")})` : false;
  const own: Term = owner === undefined ? false : (bind) => `${owner} = ${bind(access.subjectId, "uuid")}`;
  const noOrg: Term = org === undefined ? true : columns.orgNullable ? () => `${org} IS NULL` : false;
  return or([inOrgs(everywhere), and([own, inOrgs(ownOnly)]), and([levels.user[cell] === 1, own, noOrg])]);
}

function aclTerm(access: Access, action: string, { userAcl, groupAcl, org }: FilterColumns): Term {
  const has =
    (list: string): Term =>
    (bind) =>
      `${list} ?| ${bind([action, wildcard], "text[]")}`;
  const user: Term = userAcl ? (bind) => fold(has(userAcl(bind(access.subjectId, "text"))), bind) : false;
  if (!groupAcl || org === undefined || access.memberships.size === 0) return user;
  const groups: Term[] = access.groups.map((id) => (bind) => fold(has(groupAcl(bind(id, "text"))), bind));
  const member: Term = (bind) => `${org} = ANY(${bind([...access.memberships], "uuid[]")})`;
  return or([user, and([member, or([...groups, has(groupAcl(`${org}::text`))])])]);
}

function allowTerm(access: Access, type: string, { id }: FilterColumns): Term {
  if (access.allowAll) return true;
  const ids: string[] = [];
  for (const key of [type, wildcard]) {
    if (!access.allow.has(key)) continue;
    const listed = access.allow.get(key);
    if (listed === undefined) return true;
    ids.push(...listed);
  }
  return id === undefined || ids.length === 0 ? false : (bind) => `${id} = ANY(${bind(ids, "uuid[]")})`;
}

const fold = (term: Term, bind: Bind): string => (typeof term === "boolean" ? String(term) : term(bind));

function or(terms: readonly Term[]): Term {
  const left = terms.filter((term) => term !== false);
  if (left.includes(true)) return true;
  if (left.length < 2) return left[0] ?? false;
  return (bind) => `(${left.map((term) => fold(term, bind)).join(" OR ")})`;
}

function and(terms: readonly Term[]): Term {
  const left = terms.filter((term) => term !== true);
  if (left.includes(false)) return false;
  if (left.length < 2) return left[0] ?? true;
  return (bind) => `(${left.map((term) => fold(term, bind)).join(" AND ")})`;
}
