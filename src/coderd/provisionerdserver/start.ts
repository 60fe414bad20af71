/** Everything of the server that gets jobs done: matchmaker, built-in daemons, reaper. Made and ended by coderd.ts. */
import { hostname } from "node:os";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import type { DrpcClient } from "#rpc/drpc/client.ts";
import type { JobJournal } from "#provisionerd/journal.ts";
import type { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { runJobReaper } from "../jobreaper/jobreaper.ts";
import { actors } from "../rbac/actors.ts";
import { Acquirer } from "./acquirer.ts";
import { type BuiltinDaemons, startBuiltinDaemons } from "./builtin.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";

export interface ProvisioningOptions {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly accessUrl: () => string;
  readonly sessionMs: number;
  /** How often to look for jobs that nobody works on. @default one minute */
  readonly jobReaperIntervalMs?: number;
  readonly quietHours: string;
  readonly buildVersion: string;
}

export interface BuiltinSettings {
  /** Engines by provisioner type. */
  readonly provisioners: Readonly<Record<string, DrpcClient<typeof Provisioner>>>;
  /** @default 3 */
  readonly count?: number;
  /** How long a cancelled job may take to stop by itself. @default 10 minutes */
  readonly forceCancelMs?: number;
  /** Stays the same when the replica starts again, and is no other replica's. @default the host's name */
  readonly replicaName?: string;
  /** Notes jobs for the replica's next life. */
  readonly journal?: JobJournal;
}

export class Provisioning implements AsyncDisposable {
  readonly deps: ProvisionerdServerDeps;
  /** Acts for daemons, as long as the server runs. */
  readonly ctx: Ctx;
  readonly #options: ProvisioningOptions;
  readonly #acquirer: Acquirer;
  readonly #leaving: AbortController;
  readonly #stop: AbortController;
  #daemons: BuiltinDaemons | undefined;
  #reaper: Promise<void>;

  static async start(ctx: Ctx, options: ProvisioningOptions): Promise<Provisioning> {
    const stop = new AbortController();
    const daemonCtx = ctx.as(actors.provisionerd, "gives jobs to daemons").until(stop.signal);
    const acquirer = await Acquirer.start(daemonCtx, options);
    return new Provisioning(daemonCtx, options, acquirer, stop);
  }

  private constructor(ctx: Ctx, options: ProvisioningOptions, acquirer: Acquirer, stop: AbortController) {
    this.ctx = ctx;
    this.#options = options;
    this.#acquirer = acquirer;
    this.#stop = stop;
    this.#leaving = new AbortController();
    this.deps = { ...options, acquirer, leaving: this.#leaving.signal };
    this.#reaper = runJobReaper(ctx, options, options.jobReaperIntervalMs);
  }

  /** Once, when the server can be reached: builds dial it. */
  async startBuiltin(settings: BuiltinSettings): Promise<void> {
    const { store, rand, clock, log, buildVersion } = this.#options;
    const organization = await store.getDefaultOrganization(this.ctx, {});
    this.#daemons = await startBuiltinDaemons({
      ctx: this.ctx,
      deps: this.deps,
      clock,
      log: log.named("provisionerd"),
      organizationId: organization.id,
      replicaId: rand.uuid(),
      name: settings.replicaName ?? hostname(),
      buildVersion,
      count: settings.count ?? 3,
      journal: settings.journal,
      provisioners: settings.provisioners,
      forceCancelMs: settings.forceCancelMs,
    });
  }

  /** Ends daemons with their jobs, then the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort(new Error("the server shuts down"));
    await this.#daemons?.[Symbol.asyncDispose]();
    await this.#acquirer[Symbol.asyncDispose]();
    this.#stop.abort(new Error("the server shuts down"));
    await this.#reaper;
  }
}
