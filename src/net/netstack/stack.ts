/**
 * The network inside the tunnel (spec network §15): IPv6 with TCP, ICMPv6 echo and TSMP for one peer's addresses.
 * tailnet/conn.ts gives it packets that WireGuard has opened, and takes those to seal. Promises: bounded tables, answers
 * only to its own addresses, no memory for peers that only begin connections.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { answerEcho, encodeEcho, parseEcho } from "./icmp6.ts";
import { nextHeader, parseIp6 } from "./ip6.ts";
import { TcpConnection } from "./tcp/connection.ts";
import { encodeSegment, flag, parseSegment, type Segment } from "./tcp/segment.ts";
import { add } from "./tcp/seq.ts";
import { TcpStream } from "./tcp/stream.ts";
import { answerTsmp, encodeTsmp, parseTsmp } from "./tsmp.ts";

const maxConnections = 16_384;
const maxHalfOpen = 1024;
const firstEphemeral = 32_768;
const ephemeralCount = 28_000;

/** A connection that a peer begins on a port without a listener. */
export interface ForwardRequest {
  readonly port: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Completes the handshake; call it when the other leg stands. */
  accept(): TcpStream;
  /** Refuses with a reset. */
  reject(): void;
}

export interface StackOptions {
  /** Own addresses, as text. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly rand: Rand;
  readonly send: (packet: Buffer) => void;
  /** @default 1280 */
  readonly mtu?: number;
  readonly onForward?: (request: ForwardRequest) => void;
}

export type Handler = (stream: TcpStream) => void;

interface Entry {
  readonly connection: TcpConnection;
  readonly remote: Buffer;
  readonly stream: TcpStream;
}

interface Waiter {
  readonly from: string;
  readonly resolve: () => void;
}

export class Netstack implements Disposable {
  readonly #options: StackOptions;
  readonly #own = new Map<string, Buffer>();
  readonly #mss: number;
  readonly #connections = new Map<string, Entry>();
  readonly #halfOpen = new Set<string>();
  readonly #listeners = new Map<number, Handler>();
  readonly #pings = new Map<string, Waiter>();
  #closed = false;

  constructor(options: StackOptions) {
    this.#options = options;
    this.#mss = (options.mtu ?? 1280) - 60;
    for (const text of options.addresses) {
      const address = parseAddress(text);
      if (address?.length !== 16) throw new Error(`not an IPv6 address: ${text}`);
      this.#own.set(address.toString("latin1"), address);
    }
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Connections to this port go to the handler once established. Gives a function that ends it. */
  listen(port: number, handler: Handler): () => void {
    if (this.#listeners.has(port)) throw new Error(`port ${port} is taken`);
    this.#listeners.set(port, handler);
    return () => {
      if (this.#listeners.get(port) === handler) this.#listeners.delete(port);
    };
  }

  /** Resolves when connected; rejects with ConnectionError (code like ECONNREFUSED) or the signal's reason. */
  dial(
    address: string,
    port: number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<TcpStream> {
    const { signal } = options;
    const remote = parseAddress(address);
    const [local] = this.#own.values();
    if (remote?.length !== 16 || !local) return Promise.reject(new Error(`not an IPv6 address: ${address}`));
    if (this.#closed) return Promise.reject(new Error("the network is closed"));
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const localPort = this.#freePort(local, remote, port);
      const entry = this.#create(local, localPort, remote, port, {
        onConnect: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve(entry.stream);
        },
        onClose: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error ?? new Error("the connection was closed"));
        },
      });
      const onAbort = (): void => {
        reject(signal?.reason);
        entry.connection.abort();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      // Failures before the stream is handed out are the promise's; after, the holder's.
      entry.stream.on("error", () => {});
      entry.connection.connect();
    });
  }

  /** Round trip of a TSMP ping in milliseconds. */
  tsmpPing(address: string, options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    const data = this.#options.rand.bytes(8);
    return this.#ping(`t${data.toString("latin1")}`, address, options.signal, (source, destination) =>
      encodeTsmp({ type: "ping", source, destination, data }),
    );
  }

  /** Round trip of an ICMPv6 echo in milliseconds. */
  icmpPing(address: string, options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    const data = this.#options.rand.bytes(32);
    const identifier = this.#options.rand.int(65_536);
    return this.#ping(`i${data.toString("latin1")}`, address, options.signal, (source, destination) =>
      encodeEcho({ reply: false, source, destination, identifier, sequence: 1, data }),
    );
  }

  /** Sends again at once on all connections: the path has come back. */
  kick(): void {
    for (const { connection } of this.#connections.values()) connection.kick();
  }

  /** A peer shows that it is alive: what waits for it after lost packets is sent again at once. */
  heard(address: Buffer): void {
    for (const { connection, remote } of this.#connections.values()) {
      if (remote.equals(address)) connection.heard();
    }
  }

  /** A packet from the peer that holds its source address. */
  receive(packet: Buffer): void {
    if (packet.length < 40 || !this.#own.has(packet.toString("latin1", 24, 40)) || this.#closed) return;
    const ip = parseIp6(packet);
    switch (ip?.nextHeader) {
      case nextHeader.tcp:
        return this.#onTcp(packet);
      case nextHeader.icmp6: {
        const echo = parseEcho(packet);
        if (!echo) return;
        if (!echo.reply) return this.#options.send(answerEcho(echo));
        return this.#onPong(`i${Buffer.from(echo.data).toString("latin1")}`, echo.source);
      }
      case nextHeader.tsmp: {
        const message = parseTsmp(packet);
        if (!message) return;
        if (message.type === "ping") return this.#options.send(answerTsmp(message));
        return this.#onPong(`t${Buffer.from(message.data).toString("latin1")}`, message.source);
      }
      default:
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { connection } of this.#connections.values()) connection.abort();
    this.#connections.clear();
    this.#listeners.clear();
  }

  async #ping(
    key: string,
    address: string,
    signal: AbortSignal | undefined,
    build: (source: Buffer, destination: Buffer) => Buffer,
  ): Promise<number> {
    const destination = parseAddress(address);
    const [source] = this.#own.values();
    if (destination?.length !== 16 || !source) throw new Error(`not an IPv6 address: ${address}`);
    signal?.throwIfAborted();
    const start = this.#options.clock.monotonic();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#pings.delete(key);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const answered = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#pings.set(key, { from: destination.toString("latin1"), resolve: answered });
      this.#options.send(build(source, destination));
    });
    return this.#options.clock.monotonic() - start;
  }

  #onPong(key: string, source: Uint8Array): void {
    const waiter = this.#pings.get(key);
    if (!waiter || waiter.from !== Buffer.from(source).toString("latin1")) return;
    this.#pings.delete(key);
    waiter.resolve();
  }

  #onTcp(packet: Buffer): void {
    const segment = parseSegment(packet);
    if (!segment) return;
    // Addresses and ports stand in one piece: the name of the connection.
    const key = packet.toString("latin1", 8, 44);
    const entry = this.#connections.get(key);
    if (entry && !(entry.connection.state === "time-wait" && segment.flags === flag.syn)) {
      return entry.connection.receive(segment);
    }
    if (this.#halfOpen.has(key)) return;
    if (segment.flags === flag.syn) return this.#onSyn(packet, key, segment);
    if ((segment.flags & flag.rst) === 0) this.#reset(packet, segment);
  }

  #onSyn(packet: Buffer, key: string, segment: Segment): void {
    const remote = Buffer.from(packet.subarray(8, 24));
    const local = Buffer.from(packet.subarray(24, 40));
    const listener = this.#listeners.get(segment.destinationPort);
    if (this.#connections.size >= maxConnections || this.#halfOpen.size >= maxHalfOpen) return;
    const start = (onConnect: Handler | undefined): TcpStream => {
      const entry = this.#create(local, segment.destinationPort, remote, segment.sourcePort, {
        onConnect: () => {
          this.#halfOpen.delete(key);
          onConnect?.(entry.stream);
        },
        onClose: () => this.#halfOpen.delete(key),
      });
      entry.stream.on("error", () => {});
      this.#halfOpen.add(key);
      entry.connection.accept(segment);
      return entry.stream;
    };
    if (listener) return void start(listener);
    const { onForward } = this.#options;
    if (!onForward) return this.#reset(packet, segment);
    this.#halfOpen.add(key);
    onForward({
      port: segment.destinationPort,
      remoteAddress: formatAddress(remote),
      remotePort: segment.sourcePort,
      accept: () => {
        this.#halfOpen.delete(key);
        return start(undefined);
      },
      reject: () => {
        if (this.#halfOpen.delete(key)) this.#reset(packet, segment);
      },
    });
  }

  #reset(packet: Buffer, segment: Segment): void {
    const acks = (segment.flags & flag.ack) !== 0;
    const taken =
      segment.data.length +
      ((segment.flags & flag.syn) !== 0 ? 1 : 0) +
      ((segment.flags & flag.fin) !== 0 ? 1 : 0);
    this.#options.send(
      encodeSegment(packet.subarray(24, 40), packet.subarray(8, 24), {
        sourcePort: segment.destinationPort,
        destinationPort: segment.sourcePort,
        seq: acks ? segment.ack : 0,
        ack: acks ? 0 : add(segment.seq, taken),
        flags: acks ? flag.rst : flag.rst | flag.ack,
        window: 0,
        options: {},
        data: Buffer.alloc(0),
      }),
    );
  }

  #create(
    local: Buffer,
    localPort: number,
    remote: Buffer,
    remotePort: number,
    events: { readonly onConnect: () => void; readonly onClose: (error: Error | undefined) => void },
  ): Entry {
    const key = connectionKey(remote, local, remotePort, localPort);
    const { clock, rand, send } = this.#options;
    const connection: TcpConnection = new TcpConnection({
      clock,
      initialSeq: rand.int(2 ** 32),
      mss: this.#mss,
      events: {
        send: (segment) => {
          send(
            encodeSegment(local, remote, { ...segment, sourcePort: localPort, destinationPort: remotePort }),
          );
        },
        onConnect: events.onConnect,
        onReadable: () => stream.handleReadable(),
        onWritable: () => stream.handleWritable(),
        onClose: (error) => {
          events.onClose(error);
          stream.handleClose(error);
        },
        onGone: () => {
          if (this.#connections.get(key)?.connection === connection) this.#connections.delete(key);
        },
      },
    });
    const stream = new TcpStream(connection, {
      localAddress: formatAddress(local),
      localPort,
      remoteAddress: formatAddress(remote),
      remotePort,
    });
    const entry = { connection, remote, stream };
    this.#connections.set(key, entry);
    return entry;
  }

  #freePort(local: Buffer, remote: Buffer, remotePort: number): number {
    if (this.#connections.size >= maxConnections) throw new Error("too many connections");
    const start = this.#options.rand.int(ephemeralCount);
    for (let step = 0; step < ephemeralCount; step++) {
      const port = firstEphemeral + ((start + step) % ephemeralCount);
      if (!this.#connections.has(connectionKey(remote, local, remotePort, port))) return port;
    }
    throw new Error("no port is free");
  }
}

/** As source, destination, source port and destination port stand in a packet from the remote. */
function connectionKey(remote: Buffer, local: Buffer, remotePort: number, localPort: number): string {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(remotePort, 0);
  ports.writeUInt16BE(localPort, 2);
  return remote.toString("latin1") + local.toString("latin1") + ports.toString("latin1");
}
