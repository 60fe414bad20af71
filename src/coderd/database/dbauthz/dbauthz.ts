/**
 * The store that everybody but rules uses: the same queries, with `ctx` first, each authorized by its rule.
 *
 *     const store = authorize(database.store, rules);
 *     const template = await store.getTemplateById(ctx, { id });                    // NotFound if missing or unreadable
 *     await store.inTx(ctx, { isolation: "repeatable read" }, async (tx) => { await tx.updateTemplate(ctx, …); });
 *
 * Promises: no query runs that its rule refuses; a row that may not be read is as if it were missing; lists are
 * narrowed in SQL; an aborted ctx runs nothing and cancels what runs.
 */
import type { Ctx } from "../../ctx.ts";
import { NotFound } from "../../errors.ts";
import type { Store, Tx, TxOptions } from "../db.ts";
import { NoRows } from "../errors.ts";
import { type AllQueries, queries } from "../gen/queries.gen.ts";
import type { AnyQuery, ArgOf, ResultOf, RowOf, RunOptions } from "../query.ts";
import { listFilter } from "./list-filter.ts";
import { NotAuthorized } from "./not-authorized.ts";
import type { Call, Rule } from "./rule.ts";

/** What `:exec` queries have for a row is nobody's business. */
export type RuleOf<Q> = Rule<ArgOf<Q>, RowOf<Q>>;
export type RulesOf<Queries> = { readonly [N in keyof Queries]: RuleOf<Queries[N]> };
export type Rules = RulesOf<AllQueries>;

export type AuthzMethods = {
  readonly [N in keyof AllQueries]: (ctx: Ctx, arg: ArgOf<AllQueries[N]>) => Promise<ResultOf<AllQueries[N]>>;
};

export interface AuthzStore extends AuthzMethods {
  /** As `Store.inTx`. The transaction ends with `ctx.signal`, too. */
  inTx<T>(ctx: Ctx, options: TxOptions, fn: (tx: AuthzTx) => Promise<T>): Promise<T>;
}

export interface AuthzTx extends AuthzStore, Pick<Tx, "afterCommit" | "lock" | "tryLock"> {}

/** A rule whose argument and rows are those of its query, which the type of the table has proved. */
interface AnyRule extends Pick<Rule<unknown, unknown>, "needs" | "action"> {
  // Methods, not functions in fields: their parameters may be narrower.
  before?(call: Call, arg: unknown): void | Promise<void>;
  sees?(call: Call, row: unknown): boolean;
}
type AnyRules = { readonly [N in keyof AllQueries]: AnyRule };

export function authorize(store: Store, rules: Rules): AuthzStore {
  return new CheckedStore(store, rules);
}

// The query methods are put on the prototype below, for every name that the interface has.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
interface CheckedMethods extends AuthzMethods {}
abstract class CheckedMethods {
  abstract run(name: keyof AllQueries, ctx: Ctx, arg: never): Promise<unknown>;
}

for (const name of Object.keys(queries)) {
  Object.defineProperty(CheckedMethods.prototype, name, {
    value(this: CheckedMethods, ctx: Ctx, arg: never) {
      if (!isQueryName(name)) throw new Error(`no query is named ${name}`);
      return this.run(name, ctx, arg);
    },
  });
}

function isQueryName(name: string): name is keyof AllQueries {
  return Object.hasOwn(queries, name);
}

class CheckedStore extends CheckedMethods implements AuthzStore {
  readonly #store: Store;
  readonly #rules: AnyRules;

  constructor(store: Store, rules: AnyRules) {
    super();
    this.#store = store;
    this.#rules = rules;
  }

  async run(name: keyof AllQueries, ctx: Ctx, arg: never): Promise<unknown> {
    ctx.signal.throwIfAborted();
    const call = { subject: ctx.actor, store: this.#store, signal: ctx.signal };
    const rule = this.#rules[name];
    try {
      await rule.before?.(call, arg);
      return await this.#checked(name, rule, ctx, arg);
    } catch (error) {
      if (error instanceof NoRows) throw new NotFound();
      if (error instanceof NotAuthorized) {
        ctx.log.debug("query refused", { query: name, reason: error.reason });
      }
      throw error;
    }
  }

  async #checked(name: keyof AllQueries, rule: AnyRule, ctx: Ctx, arg: never): Promise<unknown> {
    const query: AnyQuery = queries[name];
    const options: { signal: AbortSignal; filter?: RunOptions["filter"] } = { signal: ctx.signal };
    if (rule.action !== undefined) {
      if (!query.filter) throw new Error(`${name}: its rule is a filter, the query has no @authorize_filter`);
      const seen = listFilter(ctx.actor, rule.action, query.filter.resource, query.filter.alias);
      if (seen === false && query.kind === "many") return [];
      if (seen !== true) options.filter = seen === false ? { text: "false", values: [] } : seen;
    }
    const result: unknown = await this.#store.run(query, arg, options);
    return visible(rule, { subject: ctx.actor, store: this.#store, signal: ctx.signal }, query, result);
  }

  inTx<T>(ctx: Ctx, options: TxOptions, fn: (tx: AuthzTx) => Promise<T>): Promise<T> {
    const signal = options.signal ?? ctx.signal;
    return this.#store.inTx({ ...options, signal }, (tx) => fn(new CheckedTx(tx, this.#rules)));
  }
}

class CheckedTx extends CheckedStore implements AuthzTx {
  readonly #tx: Tx;

  constructor(tx: Tx, rules: AnyRules) {
    super(tx, rules);
    this.#tx = tx;
  }

  afterCommit(fn: () => void | Promise<void>): void {
    this.#tx.afterCommit(fn);
  }

  lock(name: string): Promise<void> {
    return this.#tx.lock(name);
  }

  tryLock(name: string): Promise<boolean> {
    return this.#tx.tryLock(name);
  }
}

/** What is left of the answer for this subject. */
function visible(rule: AnyRule, call: Call, query: AnyQuery, result: unknown): unknown {
  if (!rule.sees) return result;
  const seen = (row: unknown): boolean => rule.sees?.(call, row) ?? true;
  if (Array.isArray(result)) return result.filter((row) => seen(row));
  if (result === undefined || seen(result)) return result;
  if (query.kind === "maybe") return undefined;
  throw new NotAuthorized(call.subject, rule.needs, "row");
}
