/** Brings a server up from its options and takes it down again, for `coder server` and for a clone's start. */
import { PgPubsub } from "#coderd/database/pubsub/pg-pubsub.ts";
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { startCoderd, type Coderd } from "#coderd/coderd.ts";
import { Purger } from "#coderd/database/dbpurge/dbpurge.ts";
import { firstFolder } from "#coderd/site/manifest.ts";
import { serverOptions as o } from "#coderd/deployment/options.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Values } from "#serpent/resolve.ts";
import type { Logger } from "#slog/slog.ts";
import { openJournal, startEngines } from "../engines.ts";
import { coderdConfig, parseAddress, positive } from "./config.ts";
import type { BuiltinSettings } from "#coderd/provisionerdserver/start.ts";
import { binaryMaker } from "./binaries.ts";
import { openDatabase } from "./database.ts";

export interface ServerFacts {
  readonly values: Values;
  readonly stateDir: string;
  readonly cacheDir: string;
  /** Of the built-in daemons. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Lines for the person who started it. */
  readonly say: (line: string) => void;
}

export interface RunningServer extends AsyncDisposable {
  readonly coderd: Coderd;
}

export async function startServer(facts: ServerFacts): Promise<RunningServer> {
  await using cleanup = new AsyncDisposableStack();
  const { values, clock, rand, log, signal, stateDir, cacheDir, say } = facts;
  const listen = parseAddress(values.get(o.httpAddress));
  const opened = await openDatabase({
    url: values.get(o.postgresUrl),
    maxConnections: values.get(o.postgresConnMaxOpen),
    stateDir,
    cacheDir,
    log,
    clock,
    signal,
  });
  cleanup.use(opened);
  say(`Using ${opened.description}`);
  const pubsub = cleanup.use(await PgPubsub.start({ database: opened.database, clock, log }));
  const count = values.get(o.provisionerDaemons);
  cleanup.use(Purger.start({ store: opened.database.store, clock, log: log.named("dbpurge") }));
  const builtin = count > 0 ? await builtinDaemons(facts, count) : undefined;
  const coderd = await startCoderd({
    store: opened.database.store,
    pubsub,
    listen,
    log,
    clock,
    rand,
    config: coderdConfig(values),
    // A clone's is built by boot while the server starts; a release brings its own.
    site: firstFolder([join(cacheDir, "site/dashboard"), join(import.meta.dirname, "../../../site/out")]),
    binaries: { dir: join(cacheDir, "site/orig/bin"), ...binaryMaker({ cacheDir, log }) },
    ...(builtin ? { builtin } : {}),
  });
  cleanup.use(coderd);
  const owned = cleanup.move();
  return { coderd, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function builtinDaemons(facts: ServerFacts, count: number): Promise<BuiltinSettings> {
  const { values, stateDir, cacheDir, env, clock, rand } = facts;
  const forceCancelMs = positive(values, o.provisionerForceCancelInterval);
  const types = values.get(o.provisionerTypes);
  const log = facts.log.named("provisioner");
  const engine = values.get(o.provisionerEngine);
  const provisioners = await startEngines({ engine, types, cacheDir, env, clock, rand, log });
  const name = replicaName(stateDir);
  const journal = await openJournal({ cacheDir, types, log }, `builtin ${name}`);
  return { provisioners, count, replicaName: name, forceCancelMs, journal };
}

/** The same in the server's next life, and no other server's of this machine. */
function replicaName(stateDir: string): string {
  return `${hostname()}-${createHash("sha256").update(stateDir).digest("hex").slice(0, 8)}`;
}
