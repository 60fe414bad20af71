/** Watching a build to its end: its log on a stream, Ctrl-C cancels it gracefully, its error is the command's error. */
import type { Writable } from "node:stream";
import { contract } from "#codersdk/contract.ts";
import { ProvisionerJobLog, type ProvisionerJob } from "#codersdk/provisionerjobs.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Invocation } from "#serpent/command.ts";
import { jobLog } from "./cliui/joblogs.ts";
import { Canceled } from "./cliui/prompt.ts";
import { UserError } from "./errors.ts";
import { globals } from "./globals.ts";
import type { Session } from "./session.ts";

export interface FollowJob {
  /** The job as it is now. */
  readonly get: (signal: AbortSignal) => Promise<ProvisionerJob>;
  /** Its log after that line, to the end of the job. */
  readonly logs: (after: number, signal: AbortSignal) => AsyncIterable<ProvisionerJobLog>;
  readonly cancel: () => Promise<unknown>;
  readonly out: Writable;
}

/** A job ended badly: its own error text and code. */
export class JobFailed extends UserError {
  readonly code: string;
  constructor(job: ProvisionerJob) {
    super(job.error ?? "the job failed without a reason");
    this.code = job.error_code ?? "";
  }
}

/** Resolves when the job succeeded. Throws `Canceled` or `JobFailed`. */
export async function followJob(inv: Invocation, job: FollowJob): Promise<void> {
  const log = jobLog({ verbose: inv.get(globals.verbose) });
  // The first Ctrl-C cancels the job and goes on watching; the program's own signal handling ends us at the second.
  const watching = new AbortController();
  const onAbort = (): void => {
    inv.stderr.write("Gracefully canceling...\n");
    job.cancel().catch((error: unknown) => watching.abort(error));
  };
  if (inv.signal.aborted) onAbort();
  else inv.signal.addEventListener("abort", onAbort, { once: true });
  try {
    job.out.write(log.state(await job.get(watching.signal)));
    const polling = pollState(inv, watching.signal, async () =>
      job.out.write(log.state(await job.get(watching.signal))),
    );
    let last = 0;
    for (;;) {
      try {
        for await (const line of job.logs(last, watching.signal)) {
          last = Math.max(last, line.id);
          job.out.write(log.line(line));
        }
      } catch (error) {
        // A restarting server breaks the stream; the job goes on, and so do we, from the last line seen.
        if (watching.signal.aborted) throw error;
        await inv.clock.sleep(500, { signal: watching.signal });
      }
      const now = await job.get(watching.signal);
      if (now.completed_at === undefined) continue;
      watching.abort();
      await polling;
      job.out.write(log.state(now) + log.end(now));
      if (now.status === "canceled") throw new Canceled("canceled");
      if (now.error) throw new JobFailed(now);
      return;
    }
  } finally {
    inv.signal.removeEventListener("abort", onAbort);
    watching.abort();
  }
}

/** Keeps the queue position current until the log begins to tell. Trouble here is the log stream's to report. */
async function pollState(inv: Invocation, signal: AbortSignal, ask: () => Promise<unknown>): Promise<void> {
  for await (const _ of inv.clock.ticks(1000, { signal })) {
    try {
      await ask();
    } catch {
      if (signal.aborted) return;
    }
  }
}

export function followBuild(
  inv: Invocation,
  session: Session,
  build: WorkspaceBuild,
  out: Writable,
): Promise<void> {
  const params = { workspacebuild: build.id };
  return followJob(inv, {
    get: async (signal) => (await session.client.call(contract.workspacebuilds.get, { params, signal })).job,
    logs: (after, signal) =>
      session.client.stream(contract.workspacebuilds.logs, ProvisionerJobLog, {
        params,
        query: { follow: true, after },
        signal,
      }),
    cancel: () => session.client.call(contract.workspacebuilds.cancel, { params }),
    out,
  });
}
