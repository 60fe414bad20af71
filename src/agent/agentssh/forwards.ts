/**
 * Port forwards of one connection: local ones (the client asks us to dial) and remote ones (we listen and open channels
 * to the client), TCP and unix sockets. Listeners end with the connection.
 */
import { mkdir, lstat, rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import type { Connection } from "ssh2";
import type { SessionOptions } from "./options.ts";

export interface ForwardOptions extends SessionOptions {
  /** Whether one more channel may open; each admitted one is released once. */
  readonly admit: () => boolean;
  readonly release: () => void;
}

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
      join(socket, accept(), { gone, release });
    });
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
      this.#offer(socket, (opened) =>
        this.#connection.forwardOut(
          bindAddr,
          port,
          socket.remoteAddress ?? "127.0.0.1",
          socket.remotePort ?? 0,
          opened,
        ),
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
      this.#offer(socket, (opened) => this.#connection.openssh_forwardOutStreamLocal(path, opened));
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

  /** Opens a channel to the client for a socket that somebody opened to us. */
  #offer(socket: Socket, open: (opened: (error: Error | undefined, channel: Duplex) => void) => void): void {
    const { admit, release, gone } = this.#options;
    socket.on("error", () => socket.destroy());
    if (!admit()) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    open((error, channel) => {
      if (error) {
        release();
        socket.destroy();
        return;
      }
      join(socket, channel, { gone, release });
    });
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

/** Ties a socket and a channel together, both ways, each side's end passed on. */
function join(
  socket: Socket,
  channel: Duplex,
  ends: { readonly gone: AbortSignal; readonly release: () => void },
): void {
  let done = false;
  const end = (): void => {
    if (done) return;
    done = true;
    ends.release();
    ends.gone.removeEventListener("abort", end);
    socket.destroy();
    channel.destroy();
  };
  ends.gone.addEventListener("abort", end, { once: true });
  socket.on("error", end);
  socket.once("close", end);
  channel.once("close", end);
  channel.on("error", end);
  socket.pipe(channel);
  channel.pipe(socket);
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
