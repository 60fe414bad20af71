/** What an agent keeps over all its connections: network, ssh server, terminals, what commands are built from. */
import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { ManifestSchema } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import { agentPort } from "#tailnet/addresses.ts";
import { AgentApi } from "./api/api.ts";
import { netcheckReport } from "./api/netcheck.ts";
import { hostKey } from "./agentssh/hostkey.ts";
import type { SshOptions } from "./agentssh/options.ts";
import type { SshServer } from "./agentssh/server.ts";
import type { ScriptReport } from "./agentscripts/runner.ts";
import { scriptBinDir } from "./agentscripts/runner.ts";
import { buildCommand, type Command, type CommandRequest } from "./command/command.ts";
import { currentUser } from "./command/user.ts";
import { Spawner } from "./command/spawner.ts";
import { ConnectionReports } from "./connections.ts";
import { JetBrainsPorts } from "./jetbrains.ts";
import { logFileName, tail } from "./log-tail.ts";
import type { ParsedManifest } from "./manifest.ts";
import { MetadataCollector } from "./metadata.ts";
import { forwardToLocalhost, type AgentNetwork, type StreamHandler } from "./network.ts";
import type { AgentOptions } from "./options.ts";
import { serveSpeedtest } from "./speedtest.ts";
import { Terminals } from "./reconnectingpty/terminals.ts";

/** How much of the agent's log one answer holds. */
const maxLogBytes = 10 << 20;
/** A script's report may wait so long for a connection. */
const reportDeadlineMs = 30_000;

const loadSsh = async (): Promise<typeof SshServer> => (await import("./agentssh/server.ts")).SshServer;

export class AgentServices implements AsyncDisposable {
  readonly connections: ConnectionReports;
  readonly metadata: MetadataCollector;
  readonly spawner = new Spawner();
  token = "";
  manifest: ParsedManifest | undefined;
  banners: readonly string[] = [];
  /** Of the current connection. */
  api: AgentConnection["agent"] | undefined;
  readonly #options: AgentOptions;
  #network: Promise<AgentNetwork> | undefined;
  #ssh: Promise<SshServer> | undefined;
  #closing = false;
  readonly #terminals: Terminals;
  readonly #api: AgentApi;
  readonly #jetbrains = new JetBrainsPorts();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.connections = new ConnectionReports(options);
    this.#terminals = new Terminals({
      clock: options.clock,
      log: options.log.named("terminal"),
      command: (request) => this.command(request),
      onViewer: (peer) => this.connections.begin("reconnecting_pty", peer),
    });
    this.#api = new AgentApi({
      clock: options.clock,
      log: options.log.named("api"),
      manifest: () => this.manifest && toJson(ManifestSchema, { ...this.manifest.message, secrets: [] }),
      netcheck: async () => {
        const node = (await this.#network)?.node();
        return node && netcheckReport(node);
      },
      logs: () => tail(join(options.logDir, logFileName), maxLogBytes),
    });
    this.metadata = new MetadataCollector({
      clock: options.clock,
      command: (request) => this.command(request),
    });
  }

  /** While the server looks for the manifest there is time to load what the first connection needs. */
  warm(): void {
    loadSsh().catch(() => {});
  }

  expansion(): { env: AgentOptions["env"]; home: string } {
    const { env } = this.#options;
    return { env, home: currentUser(env).home };
  }

  /** Throws before the first manifest. */
  command(request: CommandRequest): Command {
    if (!this.manifest) throw new Error("no manifest");
    const { env, binary, scriptDataDir } = this.#options;
    return buildCommand(request, this.manifest.workspace, {
      env,
      binary,
      user: currentUser(env),
      token: this.token,
      scriptBinDir: scriptBinDir(scriptDataDir),
    });
  }

  /** The network of this process: made by the first manifest, updated by later ones. */
  async network(manifest: ParsedManifest): Promise<AgentNetwork> {
    const { message, agentId } = manifest;
    const facts = {
      agentId,
      derpMap: message.derpMap,
      disableDirectConnections: message.disableDirectConnections,
      derpForceWebsockets: message.derpForceWebsockets,
    };
    if (this.#network) {
      const network = await this.#network;
      network.update(facts);
      return network;
    }
    const { url, headers = {}, clock, log } = this.#options;
    this.#startSsh(manifest);
    // Soon somebody runs a command.
    this.spawner.warm();
    const network = this.#options.startNetwork({
      facts,
      headers,
      clock,
      log: log.named("network"),
      serverUrl: url,
      accept: (port) => this.accept(port),
    });
    this.#network = network;
    // A network that could not start is tried again with the next connection.
    network.catch(() => (this.#network = undefined));
    return network;
  }

  accept(port: number): StreamHandler | undefined {
    if (this.#closing) return undefined;
    switch (port) {
      case agentPort.ssh:
      case agentPort.sshStandard:
        return (stream, peer) => {
          this.#ssh?.then((ssh) => ssh.serve(stream, peer)).catch(() => void stream.destroy());
        };
      case agentPort.reconnectingPty:
        return (stream, peer) => this.#terminals.serve(stream, peer);
      case agentPort.speedtest:
        return (stream) => {
          serveSpeedtest(stream, this.#options.clock).catch((error: unknown) => {
            this.#options.log.debug("a speed test failed", { error });
            stream.destroy();
          });
        };
      case agentPort.httpApi:
        return (stream) => this.#api.serve(stream);
      default:
        return forwardToLocalhost(port);
    }
  }

  #startSsh(manifest: ParsedManifest): void {
    const { workspaceName: workspace, ownerName: owner, agentName: agent } = manifest.workspace;
    const { clock, log, blockFileTransfer, blockLocalForwarding, blockReverseForwarding, sshMaxTimeoutMs } =
      this.#options;
    const options: SshOptions = {
      hostKey: hostKey({ owner, workspace, agent }),
      clock,
      log: log.named("ssh"),
      command: (request) => this.command(request),
      spawn: this.spawner.spawn,
      banners: () => this.banners,
      motdFile: () => this.manifest?.message.motdPath ?? "",
      blockFileTransfer: blockFileTransfer ?? false,
      blockLocalForwarding: blockLocalForwarding ?? false,
      blockReverseForwarding: blockReverseForwarding ?? false,
      ...(sshMaxTimeoutMs === undefined ? {} : { maxTimeoutMs: sshMaxTimeoutMs }),
      isJetBrains: (host, port) => this.#jetbrains.is(host, port),
      onSession: (kind, peer) => this.connections.begin(kind, peer),
    };
    this.#ssh ??= loadSsh().then((server) => server.start(options));
    this.#ssh.catch((error: unknown) => log.error("the ssh server could not start", { error }));
  }

  /** Not retried: the server shows a run that it has no report of as unknown. */
  async reportScript(timing: ScriptReport): Promise<void> {
    const late = new AbortController();
    const timer = this.#options.clock.timer(reportDeadlineMs, () =>
      late.abort(new Error("the report took too long")),
    );
    try {
      await this.api?.scriptCompleted({ timing }, { signal: late.signal });
    } catch (error) {
      this.#options.log.warn("a script's report was not delivered", { error });
    } finally {
      timer.stop();
    }
  }

  /** Ends what people have open; connections are refused from now on. */
  async closeSessions(): Promise<void> {
    this.#closing = true;
    const ssh = this.#ssh?.then((server) => server[Symbol.asyncDispose]()).catch(() => {});
    await Promise.all([ssh, this.#terminals[Symbol.asyncDispose]()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const network = await this.#network?.catch(() => undefined);
    await network?.[Symbol.asyncDispose]();
    await this.spawner[Symbol.asyncDispose]();
  }
}
