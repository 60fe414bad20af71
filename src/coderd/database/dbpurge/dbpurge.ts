/**
 * Deletes what nobody will ask for again: `coderd.ts` starts it once per replica. Every ten minutes one replica (whoever
 * gets the lock) runs each rule below, in statements of a bounded number of rows, so that no lock is held for long.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Store, Tx } from "../db.ts";

export interface PurgeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

const intervalMs = 10 * 60_000;
const dayMs = 86_400_000;
/** Rows (or agents) per statement. */
const rowLimit = 1_000;

interface Rule {
  readonly what: string;
  readonly keepMs: number;
  /** Gives how many went; a full batch asks for another. */
  readonly purge: (tx: Tx, before: Date) => Promise<number>;
}

const rules: readonly Rule[] = [
  // A while after they ended, so that "your session has expired" can still be told from "unknown key".
  {
    what: "expired API keys",
    keepMs: 7 * dayMs,
    purge: (tx, before) => tx.deleteExpiredApiKeys({ before, rowLimit }),
  },
  { what: "old login links", keepMs: dayMs, purge: (tx, before) => tx.deleteUsedLoginLinks({ before }) },
  {
    what: "daemons that are gone",
    keepMs: 7 * dayMs,
    purge: (tx, before) => tx.deleteStaleProvisionerDaemons({ before }),
  },
  {
    what: "agent logs of earlier builds",
    keepMs: 7 * dayMs,
    purge: (tx, before) => tx.deleteOldWorkspaceAgentLogs({ before, rowLimit }),
  },
  {
    what: "agent stats",
    keepMs: 180 * dayMs,
    purge: (tx, before) => tx.deleteOldWorkspaceAgentStats({ before, rowLimit }),
  },
];

export class Purger implements AsyncDisposable {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor() {}

  /** The first run is one interval after the start. */
  static start(options: PurgeOptions): Purger {
    const purger = new Purger();
    purger.#running = purger.#run(options);
    return purger;
  }

  async #run(options: PurgeOptions): Promise<void> {
    const { signal } = this.#stopping;
    for await (const _ of options.clock.ticks(intervalMs, { signal, tag: "dbpurge", unref: true })) {
      await purgeOnce(options, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error("purger is closed"));
    await this.#running;
  }
}

/** One run. A rule that fails is logged; the others run all the same. */
export async function purgeOnce(options: PurgeOptions, signal?: AbortSignal): Promise<void> {
  const { store, clock, log } = options;
  for (const rule of rules) {
    const before = new Date(clock.now().getTime() - rule.keepMs);
    try {
      for (let total = 0, more = true; more && !signal?.aborted;) {
        const gone = await store.inTx({ signal }, async (tx) =>
          (await tx.tryLock("dbpurge")) ? rule.purge(tx, before) : 0,
        );
        total += gone;
        more = gone >= rowLimit;
        if (!more && total > 0) log.info("purged", { what: rule.what, rows: total });
      }
    } catch (error) {
      if (!signal?.aborted) log.error("purge failed", { what: rule.what, error });
    }
  }
}
