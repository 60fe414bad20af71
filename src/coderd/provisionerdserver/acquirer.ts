/**
 * Matchmaker between daemons that wait and jobs that were posted (spec provisioning §3.3).
 *
 * Waiters that could take the same jobs form a *domain*: organization, provisioner types, tags. In a domain at most one
 * waiter asks the database at a time; it needs *clearance*, which a new domain has, a posting gives, a waiter that got
 * a job or left hands on, and a poll gives every 30 s in case a posting was lost. So a posting costs one query per
 * domain that could take it, however many daemons wait.
 */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob, ProvisionerType } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { parsePosting, postedChannel, type Posting } from "../provisionerjobs/messages.ts";

export interface Wanted {
  readonly organizationId: string;
  readonly workerId: string;
  readonly types: readonly ProvisionerType[];
  readonly tags: Readonly<Record<string, string>>;
}

type JobStore = Pick<AuthzStore, "acquireProvisionerJob">;

const pollMs = 30_000;

export class Acquirer implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #domains = new Map<string, Domain>();
  readonly #stop = new AbortController();
  #subscription: Disposable | undefined;
  #poll: Promise<void> | undefined;

  /** `ctx` acts for daemons: it may acquire jobs. */
  static async start(
    ctx: Ctx,
    deps: { readonly store: JobStore; readonly pubsub: Pubsub },
  ): Promise<Acquirer> {
    const acquirer = new Acquirer(deps.store);
    acquirer.#subscription = await deps.pubsub.subscribe(postedChannel, {
      message: (payload) => {
        const posting = parsePosting(payload);
        if (posting) acquirer.#posted(posting);
        else ctx.log.warn("a job posting could not be read");
      },
      dropped: () => acquirer.#clearAll(),
    });
    acquirer.#poll = acquirer.#pollLoop(ctx);
    return acquirer;
  }

  private constructor(store: JobStore) {
    this.#store = store;
  }

  /** Waits for a job. Undefined if the signal aborts first; a job that was taken by then is still returned. */
  async acquire(ctx: Ctx, wanted: Wanted, signal: AbortSignal): Promise<ProvisionerJob | undefined> {
    const stop = AbortSignal.any([signal, this.#stop.signal]);
    const key = domainKey(wanted);
    const domain = this.#domains.get(key) ?? new Domain(wanted);
    this.#domains.set(key, domain);
    domain.waiters++;
    try {
      while (await domain.clearance(stop)) {
        let job: ProvisionerJob | undefined;
        try {
          job = await this.#store.acquireProvisionerJob(ctx, { ...wanted, now: ctx.now() });
        } catch (error) {
          domain.finished(true);
          throw error;
        }
        domain.finished(job !== undefined);
        if (job) return job;
      }
      return undefined;
    } finally {
      domain.waiters--;
      if (domain.waiters === 0) this.#domains.delete(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the server shuts down"));
    this.#subscription?.[Symbol.dispose]();
    await this.#poll;
  }

  #posted(posting: Posting): void {
    for (const domain of this.#domains.values()) {
      if (domain.mayTake(posting)) domain.clear();
    }
  }

  #clearAll(): void {
    for (const domain of this.#domains.values()) domain.clear();
  }

  async #pollLoop(ctx: Ctx): Promise<void> {
    const wait = { signal: this.#stop.signal, tag: "acquirer-poll", unref: true };
    for await (const _ of ctx.clock.ticks(pollMs, wait)) this.#clearAll();
  }
}

class Domain {
  readonly #wanted: Wanted;
  waiters = 0;
  /** Somebody may ask. */
  #cleared = true;
  /** Somebody asks right now; `#pending`: a posting came meanwhile. */
  #asking = false;
  #pending = false;
  readonly #queue = new Set<() => void>();

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  mayTake(posting: Posting): boolean {
    const { organizationId, types, tags } = this.#wanted;
    if (posting.organizationId !== undefined && posting.organizationId !== organizationId) return false;
    if (!types.some((type) => type === posting.type)) return false;
    return Object.entries(posting.tags).every(([key, value]) => tags[key] === value);
  }

  clear(): void {
    if (this.#asking) {
      this.#pending = true;
      return;
    }
    this.#cleared = true;
    this.#wakeOne();
  }

  /** True: ask now, then call `finished`. False: the signal aborted. */
  async clearance(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (this.#cleared && !this.#asking) {
        this.#cleared = false;
        this.#asking = true;
        return true;
      }
      await this.#wait(signal);
    }
    // A clearance that woke this waiter must not get lost with it.
    if (this.#cleared) this.#wakeOne();
    return false;
  }

  /** `handOn`: there may be more jobs, so that the next waiter asks at once. */
  finished(handOn: boolean): void {
    this.#asking = false;
    this.#cleared = handOn || this.#pending;
    this.#pending = false;
    if (this.#cleared) this.#wakeOne();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#queue.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#queue.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wakeOne(): void {
    const [wake] = this.#queue;
    wake?.();
  }
}

function domainKey({ organizationId, types, tags }: Wanted): string {
  const sorted = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([organizationId, types.toSorted(), sorted]);
}
