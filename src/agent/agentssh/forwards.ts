/**
 * Port forwards of one connection: local ones (the client asks us to dial) and remote ones (we listen and open channels
 * to the client), TCP and unix sockets. Listeners end with the connection.
 */
import { mkdir, lstat, rm } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import type { Connection } from "ssh2";
import { join, offer, type OfferOptions } from "./offer.ts";
import type { SessionOptions } from "./options.ts";

export type ForwardOptions = SessionOptions & OfferOptions;

/** Listeners that one connection may ask for. */
const maxListeners = 256;
/** Where a dial goes. */
type Target = { readonly host: string; readonly port: number } | { readonly path: string };

export class Forwards implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: ForwardOptions;
  readonly #listeners = new Map<string, Server>();

  constructor(connection: Connection, options: ForwardOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  listen(): void {
    const { blockLocalForwarding } = this.#options;
    const connection = this.#connection;
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      if (blockLocalForwarding) return reject();
      this.#dial({ host: destIP, port: destPort }, accept, reject);
    });
    connection.on("openssh.streamlocal", (accept, reject, { socketPath }) => {
      if (blockLocalForwarding) return reject();
      this.#dial({ path: socketPath }, accept, reject);
    });
    connection.on("request", (accept, reject, name, info) => {
      const answer = { accept: (port?: number) => accept?.(port), reject: () => reject?.() };
      this.#request(name, info).then(answer.accept, (error: unknown) => {
        this.#options.log.debug("ssh forward refused", { name, error });
        answer.reject();
      });
    });
  }

  #dial(target: Target, accept: () => Duplex, reject: () => void): void {
    const { admit, release, gone } = this.#options;
    if (!admit()) return reject();
    const socket = createConnection(target);
    socket.setNoDelay(true);
    const refuse = (): void => {
      release();
      reject();
    };
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.off("error", refuse);
      if (gone.aborted) {
        release();
        socket.destroy();
        return;
      }
      const channel = accept();
      join(socket, channel, { gone, release });
      if ("port" in target) this.#countJetBrains(target.host, target.port, channel);
    });
  }

  #countJetBrains(host: string, port: number, channel: Duplex): void {
    const { isJetBrains, onSession, peer, log } = this.#options;
    isJetBrains?.(host, port).then(
      (yes) => {
        if (!yes || channel.destroyed) return;
        const end = onSession?.("jetbrains", peer);
        channel.once("close", () => end?.(0, "normal close"));
      },
      (error: unknown) => log.debug("a forwarded port's program is not known", { error }),
    );
  }

  async #request(name: string, info: unknown): Promise<number | undefined> {
    if (this.#options.blockReverseForwarding) throw new Error("reverse port forwarding is disabled");
    switch (name) {
      case "tcpip-forward":
        return this.#listenTcp(tcpInfo(info));
      case "cancel-tcpip-forward": {
        const { bindAddr, bindPort } = tcpInfo(info);
        return this.#stop(`${bindAddr}:${bindPort}`);
      }
      case "streamlocal-forward@openssh.com":
        return this.#listenUnix(unixInfo(info));
      case "cancel-streamlocal-forward@openssh.com":
        return this.#stop(unixInfo(info));
      default:
        throw new Error(`unknown request ${name}`);
    }
  }

  async #listenTcp({ bindAddr, bindPort }: { bindAddr: string; bindPort: number }): Promise<number> {
    let port = bindPort;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      offer(
        socket,
        (opened) =>
          void this.#connection.forwardOut(
            bindAddr,
            port,
            socket.remoteAddress ?? "127.0.0.1",
            socket.remotePort ?? 0,
            opened,
          ),
        this.#options,
      );
    });
    const host = bindAddr === "" || bindAddr === "*" ? "::" : bindAddr;
    await this.#start(server, { host, port: bindPort });
    const address = server.address();
    if (address && typeof address === "object") port = address.port;
    this.#listeners.set(`${bindAddr}:${port}`, server);
    return port;
  }

  async #listenUnix(path: string): Promise<undefined> {
    // The same path again in one connection: accepted, already there.
    if (this.#listeners.has(path)) return;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const old = await lstat(path).catch(() => undefined);
    if (old?.isDirectory()) throw new Error(`${path} is a directory`);
    if (old) await rm(path);
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      offer(
        socket,
        (opened) => void this.#connection.openssh_forwardOutStreamLocal(path, opened),
        this.#options,
      );
    });
    await this.#start(server, { path });
    this.#listeners.set(path, server);
  }

  async #start(server: Server, at: Target): Promise<void> {
    if (this.#listeners.size >= maxListeners) throw new Error("too many forwards");
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, () => resolve());
    });
    server.on("error", (error) => this.#options.log.debug("ssh forward failed", { error }));
    if (this.#options.gone.aborted) {
      server.close();
      throw new Error("the connection ended");
    }
  }

  #stop(key: string): undefined {
    const server = this.#listeners.get(key);
    if (!server) throw new Error(`nothing listens at ${key}`);
    this.#listeners.delete(key);
    server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#listeners.values()) server.close();
    this.#listeners.clear();
  }
}

function tcpInfo(info: unknown): { bindAddr: string; bindPort: number } {
  if (typeof info === "object" && info !== null && "bindAddr" in info && "bindPort" in info) {
    const { bindAddr, bindPort } = info;
    if (typeof bindAddr === "string" && typeof bindPort === "number" && bindPort <= 0xffff) {
      return { bindAddr, bindPort };
    }
  }
  throw new Error("malformed forward request");
}

function unixInfo(info: unknown): string {
  if (
    typeof info === "object" &&
    info !== null &&
    "socketPath" in info &&
    typeof info.socketPath === "string"
  ) {
    return info.socketPath;
  }
  throw new Error("malformed forward request");
}
