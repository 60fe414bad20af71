/**
 * The control plane: options → a running server. The composition root: everything is made here, once, and passed down as
 * parameters; `modules` is the one list of route modules. Called by `coder server` and by coderdtest.
 *
 *     await using coderd = await startCoderd({ store, listen: { host: "127.0.0.1", port: 0 }, … });
 *     coderd.url
 */
import type { Endpoint } from "#codersdk/endpoint.ts";
import { version } from "#buildinfo/buildinfo.ts";
import { cryptoRand, type Rand } from "#cryptorand/cryptorand.ts";
import { realClock, type Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { AgentApiDeps } from "./agentapi/deps.ts";
import { MetadataBatcher } from "./agentapi/metadata-batcher.ts";
import * as agentapi from "./agentapi/routes.ts";
import * as apikeys from "./apikeys/routes.ts";
import * as authcheck from "./authcheck/routes.ts";
import { Binaries, type BinaryMaker } from "./bin/binaries.ts";
import * as bin from "./bin/routes.ts";
import { type CoderdConfig, defaultConfig } from "./config.ts";
import { CryptoKeys } from "./cryptokeys/cryptokeys.ts";
import { newCtx, type Ctx } from "./ctx.ts";
import { authorize, type AuthzStore } from "./database/dbauthz/dbauthz.ts";
import { rules } from "./database/dbauthz/rules.ts";
import type { Store } from "./database/db.ts";
import * as deployment from "./deployment/routes.ts";
import { entitlements } from "./features.ts";
import * as dynamicparameters from "./dynamicparameters/routes.ts";
import { readExamples } from "./examples/examples.ts";
import { Forms } from "./dynamicparameters/forms.ts";
import * as files from "./files/routes.ts";
import type { BoundRoute } from "./httpapi/bind.ts";
import { HttpServer } from "./httpapi/server.ts";
import { accessUrlRedirect } from "./httpmw/access-url.ts";
import { activateDormant } from "./httpmw/activate.ts";
import { clientIpReader } from "./httpmw/client-ip.ts";
import { sessionCookieName } from "./httpmw/cookies.ts";
import { newGuard } from "./httpmw/guard.ts";
import { LastUsed } from "./httpmw/lastused.ts";
import * as organizations from "./organizations/routes.ts";
import * as pages from "./pages/routes.ts";
import * as provisionerdaemons from "./provisionerdaemons/routes.ts";
import { type BuiltinSettings, Provisioning } from "./provisionerdserver/start.ts";
import { actors } from "./rbac/actors.ts";
import { newRoleTable } from "./rbac/roletable.ts";
import * as derp from "./derp/routes.ts";
import type { SiteSource } from "./site/manifest.ts";
import * as site from "./site/routes.ts";
import { Site } from "./site/site.ts";
import { startNetwork, type ServerNetwork } from "./tailnet/network.ts";
import * as tailnet from "./tailnet/routes.ts";
import * as templates from "./templates/routes.ts";
import * as templateversions from "./templateversions/routes.ts";
import * as users from "./users/routes.ts";
import * as workspacebuilds from "./workspacebuilds/routes.ts";
import type { WorkspaceAgentDeps } from "./workspaceagents/deps.ts";
import * as workspaceagents from "./workspaceagents/routes.ts";
import * as workspacesRead from "./workspaces/read.ts";
import * as workspacesWrite from "./workspaces/write.ts";
import type { Pubsub } from "./database/pubsub/pubsub.ts";
import { WorkspaceStats } from "./workspacestats/workspacestats.ts";
import { PasswordHasher } from "./userpassword/hash.ts";

export interface CoderdOptions {
  /** Migrated, and open as long as the server runs. */
  readonly store: Store;
  /** Of the same database; open as long as the server runs. */
  readonly pubsub: Pubsub;
  readonly listen: { readonly host: string; readonly port: number };
  readonly log: Logger;
  readonly config?: Partial<CoderdConfig>;
  readonly clock?: Clock;
  readonly rand?: Rand;
  /** Tests and development: response bodies are held against their schema. */
  readonly checkResponses?: boolean;
  /** Tests lower it. */
  readonly passwordRounds?: number;
  /** The built dashboard; without one, small pages answer browsers. */
  readonly site?: SiteSource;
  /** Programs for agents and clients to download; none by default. */
  readonly binaries?: { readonly dir: string; readonly maker?: BinaryMaker };
  /** Daemons of the server's own; none by default. */
  readonly builtin?: BuiltinSettings;
}

/** What route modules choose their dependencies from. */
export interface Services
  extends
    AgentApiDeps,
    WorkspaceAgentDeps,
    users.UsersDeps,
    pages.PagesDeps,
    apikeys.ApiKeysDeps,
    bin.BinDeps,
    deployment.DeploymentDeps,
    dynamicparameters.DynamicParametersDeps,
    files.FilesDeps,
    site.SiteDeps,
    templates.TemplatesDeps,
    templateversions.TemplateVersionsDeps,
    tailnet.TailnetRoutesDeps,
    provisionerdaemons.ProvisionerDaemonsDeps,
    workspacebuilds.WorkspaceBuildsDeps,
    workspacesRead.ReadDeps,
    workspacesWrite.WriteDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly provisioning: Provisioning;
}

/** The one list of route modules. */
const modules: readonly ((services: Services) => BoundRoute[])[] = [
  agentapi.routes,
  apikeys.routes,
  authcheck.routes,
  bin.routes,
  deployment.routes,
  derp.routes,
  dynamicparameters.routes,
  files.routes,
  organizations.routes,
  pages.routes,
  site.routes,
  tailnet.routes,
  templates.routes,
  templateversions.routes,
  users.routes,
  provisionerdaemons.routes,
  workspacebuilds.routes,
  workspaceagents.routes,
  workspacesRead.routes,
  workspacesWrite.routes,
];

export interface Coderd extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly accessUrl: string;
  /** Knows permissions; for whoever runs in the same process. */
  readonly store: AuthzStore;
  readonly services: Services;
  /** What somebody on another machine needs to make the first user. */
  readonly setupSecret: string;
  /** What it answers to. */
  readonly endpoints: readonly Endpoint[];
  /** Writes what is kept in memory for a moment (last uses of keys). */
  flush(): Promise<void>;
}

/** Starts to listen; disposing it ends requests, sockets and loops, and writes what is left. */
export async function startCoderd(options: CoderdOptions): Promise<Coderd> {
  const { log, clock = realClock, rand = cryptoRand } = options;
  const config: CoderdConfig = { ...defaultConfig, ...options.config };
  const store = authorize(options.store, rules);
  const stop = new AbortController();
  const ctx = newCtx({ actor: actors.system, signal: stop.signal, log, requestId: rand.uuid(), clock });
  let url = "";
  const accessUrl = (): string => config.accessUrl ?? url;
  const { pubsub } = options;
  const provisioning = await Provisioning.start(ctx, {
    store,
    pubsub,
    clock,
    rand,
    log,
    accessUrl,
    sessionMs: config.sessions.sessionMs,
    quietHours: config.quietHours,
    jobReaperIntervalMs: config.jobReaperIntervalMs,
    buildVersion: version,
  });
  const keys = await CryptoKeys.start({ store, ctx, clock, rand });
  const network = startNetwork({ config: config.network, accessUrl, keys, clock, rand, log });
  const lastUsed = new LastUsed({ store, clock, log, noRefresh: config.disableSessionRefresh });
  const parts = { options, config, store, ctx, accessUrl, clock, rand, log, pubsub, provisioning, network };
  const services = await makeServices(parts);
  const guard = newGuard({
    authentication: {
      store,
      table: newRoleTable(config.roles),
      lastUsed,
      accessUrl,
      cookieName: sessionCookieName(config.cookies),
      provisionerPsk: config.provisionerPsk,
      activate: (requestCtx, caller) => activateDormant(store, requestCtx, caller),
    },
    limits: config.limits,
    cookies: config.cookies,
    experiments: config.experiments,
    clock,
    rand,
    log: log.named("httpmw"),
  });
  const routes = modules.flatMap((module) => module(services));
  const server = await HttpServer.start({
    routes,
    fallback: pages.fallback(services),
    redirect: config.redirectToAccessUrl
      ? ({ headers, url: path = "/" }) =>
          accessUrlRedirect(accessUrl(), { headers, url: path, secure: false })
      : undefined,
    guard,
    clientIp: clientIpReader(config.proxyTrust),
    clock,
    rand,
    log: log.named("httpapi"),
    version,
    nobody: actors.nobody,
    checkResponses: options.checkResponses ?? false,
    ...(network.derp ? { upgrades: { "/derp": network.derp } } : {}),
  });
  url = await server.app.listen(options.listen);
  if (options.builtin) await provisioning.startBuiltin(options.builtin);
  return {
    url,
    accessUrl: accessUrl(),
    store,
    services,
    setupSecret: services.setupSecret,
    endpoints: routes.map(({ endpoint }) => endpoint),
    flush: () => lastUsed.flush(),
    async [Symbol.asyncDispose]() {
      await provisioning[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await keys[Symbol.asyncDispose]();
      stop.abort(new Error("the server shuts down"));
      await server[Symbol.asyncDispose]();
      await services.metadataBatcher[Symbol.asyncDispose]();
      await services.workspaceStats[Symbol.asyncDispose]();
      await services.forms[Symbol.asyncDispose]();
      await lastUsed[Symbol.asyncDispose]();
    },
  };
}

interface Parts {
  readonly options: CoderdOptions;
  readonly config: CoderdConfig;
  readonly store: AuthzStore;
  readonly ctx: Ctx;
  readonly accessUrl: () => string;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly pubsub: Pubsub;
  readonly provisioning: Provisioning;
  readonly network: ServerNetwork;
}

async function makeServices({
  options,
  config,
  store,
  ctx,
  accessUrl,
  clock,
  rand,
  log,
  pubsub,
  provisioning,
  network,
}: Parts): Promise<Services> {
  const deploymentId = await store.insertSiteConfigIfAbsent(ctx, {
    key: "deployment_id",
    value: rand.uuid(),
  });
  // Not the server's signal: what waits at its end is still written.
  const batchCtx = newCtx({
    actor: actors.agentApi,
    signal: new AbortController().signal,
    log,
    requestId: ctx.requestId,
    clock,
  });
  return {
    site: options.site && new Site(options.site),
    binaries: new Binaries({ ...options.binaries, clock, log: log.named("bin") }),
    store,
    pubsub,
    forms: new Forms(rand),
    provisioning,
    network,
    workspaceStats: WorkspaceStats.start({ store, ctx: batchCtx, clock, log: log.named("stats") }),
    metadataBatcher: MetadataBatcher.start({
      store,
      pubsub,
      ctx: batchCtx,
      clock,
      log: log.named("metadata"),
    }),
    agentStatsIntervalMs: config.agentStatsIntervalMs,
    wildcardHost: config.wildcardHost,
    replicaId: rand.uuid(),
    clock,
    rand,
    log,
    accessUrl,
    hasher: new PasswordHasher({
      rand,
      ...(options.passwordRounds === undefined ? {} : { rounds: options.passwordRounds }),
    }),
    times: config.sessions,
    passwordAuth: !config.disablePasswordAuth,
    oidcConfigured: false,
    setupSecret: config.setupSecret ?? rand.string(32),
    cookies: config.cookies,
    deploymentId: deploymentId.value,
    upgradeMessage: config.upgradeMessage,
    experiments: config.experiments,
    entitlements: entitlements(config.features, clock.now()),
    options: config.options,
    ssh: config.ssh,
    agentInactiveMs: 30_000,
    troubleshootingUrl: config.agentTroubleshootingUrl,
    allowWorkspaceRenames: config.allowWorkspaceRenames,
    terraformDebugMode: config.terraformDebugMode,
    quietHours: config.quietHours,
    examples: await readExamples(),
  };
}
