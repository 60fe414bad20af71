/**
 * How a daemon reaches its server: in memory, or by WebSocket → yamux → DRPC (spec provisioning §2.1). `Reconnecting`
 * keeps one connection alive and repeats calls that were cut off.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { DrpcError } from "#rpc/drpc/call.ts";
import { drpcClient, type DrpcClient } from "#rpc/drpc/client.ts";
import { ProvisionerDaemon } from "#rpc/gen/provisionerd_pb.js";
import { dialWebSocket, HandshakeError } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { comebackDelay } from "#util/comeback.ts";

export type DaemonClient = DrpcClient<typeof ProvisionerDaemon>;

export interface Connection {
  readonly client: DaemonClient;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  close(): void;
}

export type Connect = (signal: AbortSignal) => Promise<Connection>;

/** The daemon API that we speak. */
export const daemonApiVersion = "1.18";

export interface ServeAddress {
  /** Access URL of the server. */
  readonly url: string;
  /** Name or id; "default" for the default organization. */
  readonly organization: string;
  readonly name: string;
  readonly provisioners: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly buildVersion: string;
  readonly credential:
    | { readonly kind: "key"; readonly key: string }
    | { readonly kind: "psk"; readonly psk: string }
    | { readonly kind: "session"; readonly token: string };
}

/** Dials the serve route. */
export function webSocketConnect(address: ServeAddress, clock: Clock): Connect {
  return async (signal) => {
    const organization = encodeURIComponent(address.organization);
    const url = new URL(
      `api/v2/organizations/${organization}/provisionerdaemons/serve`,
      withSlash(address.url),
    );
    url.searchParams.set("version", daemonApiVersion);
    url.searchParams.set("name", address.name);
    for (const type of address.provisioners) url.searchParams.append("provisioner", type);
    for (const [key, value] of Object.entries(address.tags)) {
      url.searchParams.append("tag", `${key}=${value}`);
    }
    const headers = { "Coder-Build-Version": address.buildVersion, ...credentialHeaders(address.credential) };
    const ws = await dialWebSocket(url, { headers, signal });
    const session = YamuxSession.start(wsDuplex(ws), { role: "client", clock });
    const client = drpcClient(ProvisionerDaemon, () => session.open());
    return { client, signal: session.signal, close: () => session.close() };
  };
}

function credentialHeaders(credential: ServeAddress["credential"]): Record<string, string> {
  switch (credential.kind) {
    case "key":
      return { "Coder-Provisioner-Daemon-Key": credential.key };
    case "psk":
      return { "Coder-Provisioner-Daemon-PSK": credential.psk };
    case "session":
      return { "Coder-Session-Token": credential.token };
  }
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}

/** The server refused this daemon for good. */
export class NotAuthorizedError extends Error {
  override readonly name = "NotAuthorizedError";
}

const dialBackoff = { firstMs: 50, maxMs: 10_000 };
const callBackoff = { firstMs: 25, lastMs: 5_000 };

export class Reconnecting {
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #rand: Rand;
  readonly #log: Logger;
  #current: Connection | undefined;
  #dialing: Promise<Connection> | undefined;

  constructor(
    connect: Connect,
    options: { readonly clock: Clock; readonly rand: Rand; readonly log: Logger },
  ) {
    this.#connect = connect;
    this.#clock = options.clock;
    this.#rand = options.rand;
    this.#log = options.log;
  }

  /** The live connection; dials until there is one. Rejects with NotAuthorizedError or the signal's reason. */
  connection(signal: AbortSignal): Promise<Connection> {
    if (this.#current && !this.#current.signal.aborted) return Promise.resolve(this.#current);
    this.#dialing ??= this.#dial(signal).finally(() => {
      this.#dialing = undefined;
    });
    return this.#dialing;
  }

  /** Makes the call, and again on a new connection whenever one breaks under it. Answers and refusals are final. */
  async call<T>(signal: AbortSignal, make: (client: DaemonClient) => Promise<T>): Promise<T> {
    for (let waitMs = callBackoff.firstMs; ; waitMs = Math.min(waitMs * 2, callBackoff.lastMs)) {
      const { client } = await this.connection(signal);
      try {
        return await make(client);
      } catch (error) {
        if (error instanceof DrpcError || signal.aborted) throw error;
        this.#log.debug("a call was cut off and is repeated", { error });
      }
      await this.#clock.sleep(waitMs, { signal, tag: "provisionerd-call" });
    }
  }

  close(): void {
    this.#current?.close();
  }

  async #dial(signal: AbortSignal): Promise<Connection> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        this.#current = await this.#connect(signal);
        this.#log.debug("connected to the server");
        return this.#current;
      } catch (error) {
        if (error instanceof HandshakeError && error.status === 403) {
          this.#log.error("not authorized to dial coderd", { error });
          throw new NotAuthorizedError("the server refused this daemon", { cause: error });
        }
        signal.throwIfAborted();
        this.#log.warn("cannot connect to the server", { error });
      }
      const waitMs = comebackDelay(attempt, this.#rand, dialBackoff);
      await this.#clock.sleep(waitMs, { signal, tag: "provisionerd-dial" });
    }
  }
}
