/**
 * How a query is authorized, as data. Rules say it in one of these forms; a query without a rule does not compile
 * (rules.ts). What a failed rule answers is *not found*, so that nobody learns what exists.
 *
 *   row      run it, then ask about the row that came back (reads of one row)
 *   post     run it, keep the rows that may be read (short lists only: pages and counts need `filter`)
 *   arg      ask about the argument, then run it (inserts)
 *   parent   load what the argument names, ask about that, then run it (changes, and things below others)
 *   filter   the permission becomes part of the SQL (lists)
 *   system   only internal actors, with the reason
 *   open     any actor at all, with the reason
 *   internal nobody: only rules run it
 */
import { actors } from "../../rbac/actors.ts";
import { can, filterFor, type Subject } from "../../rbac/subject.ts";
import type { Store } from "../db.ts";
import { filterColumns } from "./columns.ts";
import type { Kind } from "./kinds.ts";
import { NotAuthorized } from "./not-authorized.ts";

export type Form = "row" | "post" | "arg" | "parent" | "filter" | "system" | "open" | "internal";

/** What a rule has to decide with. `store` knows no permissions. */
export interface Call {
  readonly subject: Subject;
  readonly store: Store;
  readonly signal: AbortSignal;
}

export interface Rule<Arg, Row> {
  readonly form: Form;
  /** In words, such as `workspace:read`; for the list of rules that reviewers read. */
  readonly needs: string;
  /** Why no object decides. */
  readonly why?: string;
  /** Throws `NotAuthorized`. */
  readonly before?: (call: Call, arg: Arg) => void | Promise<void>;
  /** Whether a row may be seen. */
  readonly sees?: (call: Call, row: Row) => boolean;
  /** The action of a `filter` rule. */
  readonly action?: string;
}

/** May the subject do this to it? Every rule ends here. */
export function permits<Facts>(subject: Subject, action: string, kind: Kind<Facts>, facts: Facts): boolean {
  if (can(subject, action, kind.of(facts))) return true;
  const also = kind.also?.(facts);
  return also !== undefined && can(subject, action, also);
}

/** May the subject do this to everything of the kind? Then nothing needs to be loaded to decide. */
function permitsAll(subject: Subject, action: string, kind: Kind<never>): boolean {
  return kind.types.every((type) => filterFor(subject, action, type, filterColumns(type, "t")) === true);
}

function need(call: Call, action: string, type: string, yes: boolean): void {
  if (!yes) throw new NotAuthorized(call.subject, action, type);
}

const words = (action: string, kind: Kind<never>): string => `${kind.types[0]}:${action}`;

export function row<Facts>(action: string, kind: Kind<Facts>): Rule<unknown, Facts>;
export function row<Row, Facts>(
  action: string,
  kind: Kind<Facts>,
  pick: (row: Row) => Facts,
): Rule<unknown, Row>;
export function row<Row>(
  action: string,
  kind: Kind<Row>,
  pick: (row: Row) => Row = (one) => one,
): Rule<unknown, Row> {
  return {
    form: "row",
    needs: words(action, kind),
    sees: ({ subject }, one) => permits(subject, action, kind, pick(one)),
  };
}

export function post<Facts>(action: string, kind: Kind<Facts>): Rule<unknown, Facts>;
export function post<Row, Facts>(
  action: string,
  kind: Kind<Facts>,
  pick: (row: Row) => Facts,
): Rule<unknown, Row>;
export function post<Row>(
  action: string,
  kind: Kind<Row>,
  pick: (row: Row) => Row = (one) => one,
): Rule<unknown, Row> {
  return { ...row(action, kind, pick), form: "post" };
}

export function arg<Facts>(action: string, kind: Kind<Facts>): Rule<Facts, unknown>;
export function arg<Arg, Facts>(
  action: string,
  kind: Kind<Facts>,
  pick: (arg: Arg) => Facts,
): Rule<Arg, unknown>;
export function arg<Arg>(
  action: string,
  kind: Kind<Arg>,
  pick: (arg: Arg) => Arg = (one) => one,
): Rule<Arg, unknown> {
  return {
    form: "arg",
    needs: words(action, kind),
    before(call, given) {
      need(call, action, kind.types[0], permits(call.subject, action, kind, pick(given)));
    },
  };
}

/** Finds what a rule asks about. Undefined: there is no such thing. */
export type Load<Arg, Facts> = (call: Call, arg: Arg) => Promise<Facts | undefined>;

/** Several actions: all are needed. */
export function parent<Arg, Facts>(
  actions: string | readonly [string, ...string[]],
  kind: Kind<Facts>,
  load: Load<Arg, Facts>,
): Rule<Arg, unknown> {
  const list = typeof actions === "string" ? [actions] : actions;
  return {
    form: "parent",
    needs: list.map((action) => words(action, kind)).join(" and "),
    async before(call, given) {
      const { subject } = call;
      if (list.every((action) => permitsAll(subject, action, kind))) return;
      const facts = await load(call, given);
      for (const action of list) {
        need(call, action, kind.types[0], facts !== undefined && permits(subject, action, kind, facts));
      }
    },
  };
}

/** For queries with `-- @authorize_filter`, which names the type. */
export function filter(action = "read"): Rule<unknown, unknown> {
  return { form: "filter", needs: action, action };
}

/** What only internal actors hold (and, by `type`, sometimes owners). */
export function system(action: string, why: string, type = "system"): Rule<unknown, unknown> {
  return {
    form: "system",
    needs: `${type}:${action}`,
    why,
    before: (call) => need(call, action, type, can(call.subject, action, { type })),
  };
}

/** Everybody who is somebody. */
export function open(why: string): Rule<unknown, unknown> {
  return {
    form: "open",
    needs: "an actor",
    why,
    before: (call) => need(call, "read", "anything", call.subject !== actors.nobody),
  };
}

export function internal(why: string): Rule<unknown, unknown> {
  return {
    form: "internal",
    needs: "nobody",
    why,
    before: (call) => need(call, "read", "internal", false),
  };
}

/** Both must hold. The first one gives the form. */
export function both<Arg, Row>(first: Rule<Arg, Row>, second: Rule<Arg, Row>): Rule<Arg, Row> {
  return {
    ...first,
    needs: `${first.needs} and ${second.needs}`,
    async before(call, given) {
      await first.before?.(call, given);
      await second.before?.(call, given);
    },
    sees: (call, one) => (first.sees?.(call, one) ?? true) && (second.sees?.(call, one) ?? true),
  };
}

/** One of them must hold; for rules that decide before the query. */
export function either<Arg>(first: Rule<Arg, unknown>, second: Rule<Arg, unknown>): Rule<Arg, unknown> {
  return {
    ...first,
    needs: `${first.needs} or ${second.needs}`,
    async before(call, given) {
      try {
        await first.before?.(call, given);
      } catch (error) {
        if (!(error instanceof NotAuthorized)) throw error;
        await second.before?.(call, given);
      }
    },
  };
}

/** Depends on the argument: the chosen rule must be one that decides before the query. */
export function choose<Arg>(
  needs: string,
  pick: (arg: Arg, call: Call) => Rule<Arg, unknown> | Promise<Rule<Arg, unknown>>,
): Rule<Arg, unknown> {
  return {
    form: "parent",
    needs,
    async before(call, given) {
      const rule = await pick(given, call);
      await rule.before?.(call, given);
    },
  };
}
