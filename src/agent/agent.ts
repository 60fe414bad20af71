/**
 * The agent: dials home again and again, and keeps everything that people use alive in between. The CLI's `agent`
 * command starts one (spec agent §5, §6, §19).
 *
 *     dial → manifest → network, scripts, reports …   one connection: the first failure ends all of its routines
 *       ↑___________________________________________|  and the next attempt begins, after a delay
 *
 * What outlives a connection: the network with its ssh sessions, forwards and terminals; running scripts; log lines,
 * lifecycle changes and connection reports that are not acknowledged yet. Disposing shuts down gracefully: sessions
 * end, stop scripts run, the last reports are delivered, at most 5 s for each wait but the scripts'.
 */
import { Startup_Subsystem } from "#rpc/gen/agent_pb.js";
import { dialAgentApi, type AgentConnection } from "#codersdk/agentsdk/dial.ts";
import { AgentServices } from "./services.ts";
import { watchAppHealth } from "./app-health.ts";
import { runSchedules, runStage, type ScriptRunnerOptions } from "./agentscripts/runner.ts";
import { Lifecycle } from "./lifecycle.ts";
import { LogSender } from "./log-sender.ts";
import { parseManifest, writeSecretFiles, type ParsedManifest } from "./manifest.ts";
import type { AgentOptions } from "./options.ts";
import { backoff } from "./retry.ts";
import { reportStats } from "./stats.ts";

const subsystems = {
  envbox: Startup_Subsystem.ENVBOX,
  envbuilder: Startup_Subsystem.ENVBUILDER,
  exectrace: Startup_Subsystem.EXECTRACE,
} as const;

const bannerIntervalMs = 120_000;
const lastWaitMs = 5000;

export class Agent implements AsyncDisposable {
  readonly lifecycle: Lifecycle;
  /** Resolves when the start scripts have ended for the first time. */
  readonly ready: Promise<void>;
  readonly #becameReady = Promise.withResolvers<void>();
  readonly #options: AgentOptions;
  readonly #logs: LogSender;
  readonly #services: AgentServices;
  /** Ends what should end before the stop scripts run. */
  readonly #graceful = new AbortController();
  /** Ends everything. */
  readonly #hard = new AbortController();
  readonly #loop: Promise<void>;
  #started = false;
  #startScripts: Promise<void> = Promise.resolve();

  static start(options: AgentOptions): Agent {
    return new Agent(options);
  }

  private constructor(options: AgentOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.lifecycle = new Lifecycle({ clock, log });
    this.#logs = new LogSender({ clock, log });
    this.#services = new AgentServices(options);
    this.ready = this.#becameReady.promise;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    const { clock, log, rand } = this.#options;
    const delays = backoff(rand);
    while (!this.#hard.signal.aborted) {
      const begin = clock.monotonic();
      try {
        await this.#attempt();
      } catch (error) {
        if (!this.#hard.signal.aborted) log.warn("the connection to the server failed", { error });
      }
      try {
        const delay = delays.next(clock.monotonic() - begin);
        await clock.sleep(delay, { signal: this.#hard.signal, tag: "reconnect" });
      } catch {
        return;
      }
    }
  }

  /** One connection. Resolves when the agent is to end; throws the first routine's failure. */
  async #attempt(): Promise<void> {
    const { url, headers = {}, clock, log } = this.#options;
    const token = await this.#options.token();
    const connection = await dialAgentApi({ url, token, headers, clock, signal: this.#hard.signal });
    log.info("connected", { version: connection.version });
    this.#services.token = token;
    const failed = new AbortController();
    const hard = AbortSignal.any([this.#hard.signal, failed.signal, connection.signal]);
    const soft = AbortSignal.any([hard, this.#graceful.signal]);
    const routine = (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> =>
      work(signal).catch((error: unknown) => {
        if (!signal.aborted) failed.abort(error);
      });
    const manifest = Promise.withResolvers<ParsedManifest>();
    const withManifest = async (work: (parsed: ParsedManifest) => Promise<void>): Promise<void> => {
      const parsed = await untilAborted(manifest.promise, soft);
      if (parsed) await work(parsed);
    };
    const { agent: api } = connection;
    const services = this.#services;
    services.api = api;
    await Promise.all([
      routine((signal) => this.lifecycle.report(api, signal), hard),
      routine((signal) => this.#logs.send(api, signal), hard),
      routine((signal) => services.connections.run(api, signal), hard),
      routine((signal) => this.#banners(api, signal), soft),
      routine((signal) => this.#handleManifest(connection, manifest.resolve, signal), soft),
      routine((signal) => withManifest((parsed) => this.#network(parsed, connection, signal)), soft),
      routine(
        (signal) => withManifest(({ message }) => services.metadata.run(message.metadata, api, signal)),
        soft,
      ),
      routine(
        (signal) => withManifest(({ message }) => watchAppHealth(message.apps, api, { clock, log, signal })),
        soft,
      ),
      // A connection that is lost while every routine waits for something else.
      untilAborted(new Promise<never>(() => {}), hard),
    ]);
    connection.close();
    if (!this.#hard.signal.aborted) throw failed.signal.reason ?? connection.signal.reason;
  }

  async #handleManifest(
    { agent: api }: AgentConnection,
    publish: (manifest: ParsedManifest) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { log, version } = this.#options;
    const context = this.#services.expansion();
    const asked = api.getManifest({}, { signal });
    this.#services.warm();
    const manifest = parseManifest(await asked, context);
    this.#services.manifest = manifest;
    publish(manifest);
    const startup = {
      version,
      expandedDirectory: manifest.workspace.directory,
      subsystems: (this.#options.subsystems ?? []).map((name) => subsystems[name]),
    };
    const first = !this.#started;
    if (first) {
      this.#started = true;
      this.lifecycle.set("starting");
      // Not awaited: scripts outlive this connection.
      this.#startScripts = this.#runStartScripts(manifest);
    }
    await api.updateStartup({ startup }, { signal });
    await writeSecretFiles(manifest.secretFiles, log);
  }

  async #runStartScripts(manifest: ParsedManifest): Promise<void> {
    const { signal } = this.#graceful;
    const outcome = await this.#runScripts("start", manifest, signal);
    if (signal.aborted) return;
    this.lifecycle.set(outcome === "ok" ? "ready" : outcome === "timeout" ? "start_timeout" : "start_error");
    this.#becameReady.resolve();
    await runSchedules(this.#scriptOptions(manifest), signal);
  }

  async #runScripts(
    stage: "start" | "stop",
    manifest: ParsedManifest,
    signal: AbortSignal,
  ): Promise<"ok" | "timeout" | "error"> {
    try {
      return await runStage(stage, this.#scriptOptions(manifest), signal);
    } catch (error) {
      this.#options.log.error("scripts could not run", { stage, error });
      return "error";
    }
  }

  #scriptOptions(manifest: ParsedManifest): ScriptRunnerOptions {
    const { clock, log, logDir, scriptDataDir: dataDir } = this.#options;
    const services = this.#services;
    const { env, home } = services.expansion();
    return {
      scripts: manifest.message.scripts,
      clock,
      log,
      logDir,
      dataDir,
      env,
      home,
      logs: this.#logs,
      command: (request) => services.command(request),
      spawn: services.spawner.spawn,
      report: (report) => services.reportScript(report),
    };
  }

  async #network(
    manifest: ParsedManifest,
    { agent: api, tailnet }: AgentConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const network = await this.#services.network(manifest);
    const { clock } = this.#options;
    const { connections } = this.#services;
    await Promise.all([
      network.coordinate(tailnet, signal),
      network.followDerpMaps(tailnet, signal),
      reportStats(api, { clock, connections, traffic: () => network.traffic(), signal }),
    ]);
  }

  async #banners(api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    const fetchBanners = async (): Promise<void> => {
      const { announcementBanners } = await api.getAnnouncementBanners({}, { signal });
      this.#services.banners = announcementBanners
        .filter(({ enabled }) => enabled)
        .map(({ message }) => message);
    };
    await fetchBanners();
    for await (const _ of this.#options.clock.ticks(bannerIntervalMs, { signal, tag: "banners" })) {
      await fetchBanners();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#graceful.signal.aborted) return this.#loop;
    const { manifest } = this.#services;
    if (this.#started) this.lifecycle.set("shutting_down");
    await this.#services.closeSessions();
    this.#graceful.abort(new Error("the agent is shutting down"));
    await this.#startScripts;
    if (this.#started && manifest) {
      const outcome = await this.#runScripts("stop", manifest, this.#hard.signal);
      this.lifecycle.set(
        outcome === "ok" ? "off" : outcome === "timeout" ? "shutdown_timeout" : "shutdown_error",
      );
    }
    await this.#lastReports();
    this.#hard.abort(new Error("the agent ended"));
    await this.#loop;
    await this.#services[Symbol.asyncDispose]();
  }

  async #lastReports(): Promise<void> {
    const late = new AbortController();
    const timer = this.#options.clock.timer(lastWaitMs, () => late.abort(), { tag: "last reports" });
    await Promise.all([this.lifecycle.reported(late.signal), this.#logs.drained(late.signal)]);
    timer.stop();
  }
}

/** The value, or undefined when the signal aborts first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(undefined);
    const stop = (): void => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(
      (value) => (signal.removeEventListener("abort", stop), resolve(value)),
      (error: unknown) => (signal.removeEventListener("abort", stop), reject(error)),
    );
  });
}
