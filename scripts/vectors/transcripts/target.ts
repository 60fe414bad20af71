/** The fresh server that a replay talks to: in this process, with the options of the recording. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Endpoint } from "#codersdk/endpoint.ts";
import { Database } from "#coderd/database/db.ts";
import { startTestCluster } from "#coderd/database/dbtestutil/cluster.ts";
import { PgPubsub } from "#coderd/database/pubsub/pg-pubsub.ts";
import { loadMigrations, migrate } from "#coderd/database/migrate.ts";
import { startCoderd } from "#coderd/coderd.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger, pinoLogger } from "#slog/slog.ts";
import { replayEngines } from "./engines.ts";
import { type Idp, startIdp } from "./idp.ts";

export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly idp: Idp;
  /** Routes of the server; steps of others are not yet. */
  readonly endpoints: readonly Endpoint[];
}

export async function startTarget(): Promise<Target> {
  const log = process.env["CODER_VECTORS_LOG"] ? pinoLogger({ level: "warn" }) : discardLogger;
  const stack = new AsyncDisposableStack();
  const idp = stack.use(await startIdp());
  const cluster = stack.use(await startTestCluster());
  await migrate({ connection: cluster.connection, migrations: await loadMigrations() });
  const database = stack.use(await Database.open({ connection: cluster.connection, log, clock: realClock }));
  const workDir = await mkdtemp(join(tmpdir(), "coder-transcripts-"));
  stack.defer(() => rm(workDir, { recursive: true, force: true }));
  const pubsub = stack.use(await PgPubsub.start({ database, log, clock: realClock }));
  const coderd = stack.use(
    await startCoderd({
      store: database.store,
      pubsub,
      listen: { host: "127.0.0.1", port: 0 },
      log,
      checkResponses: true,
      builtin: { count: 1, provisioners: replayEngines(workDir) },
      config: {
        experiments: ["oauth2"],
        limits: { api: -1, login: -1, files: -1, disabled: true },
      },
    }),
  );
  return {
    url: coderd.url,
    idp,
    endpoints: coderd.endpoints,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
