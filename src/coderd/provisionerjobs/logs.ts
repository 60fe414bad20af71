/**
 * Logs of jobs: all so far, or followed to the end. A follower subscribes before its first read, so that nothing falls
 * between; a message only says "read again" (spec provisioning §5). A broken subscription ends the stream with an
 * error: the client comes back with its last id.
 */
import type { ProvisionerJobLog as WireLog } from "#codersdk/provisionerjobs.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJobLog } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { logsChannel, parseLogs } from "./messages.ts";

export interface LogDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
}

const page = 1000;
/** In case a message was lost. */
const pollMs = 30_000;

/** Every line after `after`, as they are now. */
export async function readLogs(
  ctx: Ctx,
  store: AuthzStore,
  query: { jobId: string; after: number },
): Promise<WireLog[]> {
  const out: WireLog[] = [];
  for (let after = query.after; ;) {
    const rows = await store.getProvisionerJobLogsAfter(ctx, { jobId: query.jobId, after, max: page });
    out.push(...rows.map(toWireLog));
    const last = rows.at(-1);
    if (!last || rows.length < page) return out;
    after = last.id;
  }
}

/** Lines after `after`, then new ones as they come; ends when the job has ended and all was given. */
export async function* followLogs(
  ctx: Ctx,
  deps: LogDeps,
  query: { readonly jobId: string; readonly after: number },
): AsyncGenerator<WireLog, void> {
  const { store, pubsub } = deps;
  const { jobId } = query;
  const news = new News();
  using _subscription = await pubsub.subscribe(
    logsChannel(jobId),
    {
      message: (payload) => news.tell(parseLogs(payload)?.createdAfter),
      // Lines of a job are written one batch after the other: what a lost message told of has higher ids than the last.
      dropped: () => news.tell(undefined),
    },
    ctx.signal,
  );
  const seen = new Set<number>();
  let after = query.after;
  for (;;) {
    // The job first: lines that come before its end are then certain to be read.
    const job = await store.getProvisionerJobById(ctx, { id: jobId });
    for (;;) {
      const rows = await store.getProvisionerJobLogsAfter(ctx, { jobId, after, max: page });
      for (const row of rows) {
        after = Math.max(after, row.id);
        // A batch that was committed late may have lower ids than one that was read: readers rewind.
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        yield toWireLog(row);
      }
      if (rows.length < page) break;
    }
    if (job.completedAt) return;
    const rewind = await news.next(ctx, pollMs);
    if (rewind !== undefined && rewind >= query.after) after = Math.min(after, rewind);
  }
}

/** The lowest id to read from since the last look. */
class News {
  #pending = false;
  #from: number | undefined;
  #wake: (() => void) | undefined;

  tell(createdAfter: number | undefined): void {
    this.#pending = true;
    if (createdAfter !== undefined && createdAfter > 0) {
      this.#from = Math.min(this.#from ?? createdAfter, createdAfter);
    }
    this.#wake?.();
  }

  async next(ctx: Ctx, timeoutMs: number): Promise<number | undefined> {
    if (!this.#pending) await this.#wait(ctx, timeoutMs);
    ctx.signal.throwIfAborted();
    const from = this.#from;
    this.#pending = false;
    this.#from = undefined;
    return from;
  }

  #wait(ctx: Ctx, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer.stop();
        ctx.signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      const timer = ctx.clock.timer(timeoutMs, done, { tag: "joblog-poll", unref: true });
      ctx.signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}

export function toWireLog(row: ProvisionerJobLog): WireLog {
  return {
    id: row.id,
    created_at: row.createdAt,
    log_source: row.source,
    log_level: row.level,
    stage: row.stage,
    output: row.output,
  };
}

/** `format=text`: one line a row. */
export function textOfLogs(logs: readonly WireLog[]): string {
  return logs
    .map(
      (log) => `${formatTime(log.created_at)} [${log.log_level}] [provisioner|${log.stage}] ${log.output}\n`,
    )
    .join("");
}

function formatTime(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, "Z");
}
