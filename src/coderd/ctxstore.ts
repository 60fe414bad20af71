/** Stand-in for dbauthz's store: same shape, no rules. Gone when dbauthz lands. */
import type { Ctx } from "./ctx.ts";
import type { Store, Tx, TxOptions } from "./database/db.ts";
import { type AllQueries, queries } from "./database/gen/queries.gen.ts";
import type { ArgOf, ResultOf } from "./database/query.ts";
import { NotFound } from "./errors.ts";

export type AuthzStore = {
  readonly [N in keyof AllQueries]: (ctx: Ctx, arg: ArgOf<AllQueries[N]>) => Promise<ResultOf<AllQueries[N]>>;
} & {
  inTx<T>(ctx: Ctx, options: TxOptions, fn: (tx: AuthzTx) => Promise<T>): Promise<T>;
};
export type AuthzTx = AuthzStore & {
  afterCommit(fn: () => void | Promise<void>): void;
  lock(name: string): Promise<void>;
  tryLock(name: string): Promise<boolean>;
};

export function authorize(store: Store): AuthzStore {
  const out: Record<string, unknown> = {
    inTx: (_ctx: Ctx, options: TxOptions, fn: (tx: AuthzTx) => Promise<unknown>) =>
      store.inTx(options, (tx: Tx) =>
        fn({
          ...authorize(tx),
          afterCommit: (f) => tx.afterCommit(f),
          lock: (n) => tx.lock(n),
          tryLock: (n) => tx.tryLock(n),
        }),
      ),
  };
  for (const name of Object.keys(queries)) {
    out[name] = async (_ctx: Ctx, arg: never) => {
      try {
        return await (Reflect.get(store, name) as (arg: never) => Promise<unknown>).call(store, arg);
      } catch (error) {
        if (error instanceof Error && error.name === "NoRows") throw new NotFound();
        throw error;
      }
    };
  }
  return out as AuthzStore;
}
