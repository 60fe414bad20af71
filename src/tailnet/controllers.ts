/**
 * The control side of a peer: exchanges nodes with the coordinator and follows the DERP map over one RPC connection.
 * Agents run `coordinate` and `followDerpMaps` on their own connection; clients run them inside client-controller.ts.
 */
import type { DrpcClient } from "#rpc/drpc/client.ts";
import type { MessageStream } from "#rpc/drpc/messages.ts";
import type {
  CoordinateRequestSchema,
  CoordinateResponseSchema,
  DERPMap,
  Node,
  Tailnet,
} from "#rpc/gen/tailnet_pb.js";
import type { Clock } from "#quartz/clock.ts";
import { CoordinateResponse_PeerUpdate_Kind as Kind } from "#rpc/gen/tailnet_pb.js";
import { rewriteDerpMap } from "#net/derp/map.ts";
import { uuidBytes } from "./addresses.ts";
import type { TailnetConn } from "./conn.ts";
import type { PeerTable } from "./peers.ts";

const goodbyeMs = 1_000;

export type TailnetClient = DrpcClient<typeof Tailnet>;
type Coordination = MessageStream<typeof CoordinateRequestSchema, typeof CoordinateResponseSchema>;

export interface CoordinateOptions {
  readonly conn: TailnetConn;
  readonly peers: PeerTable;
  readonly clock: Clock;
  /** Agents tell each peer that it may speak. */
  readonly announceReady: boolean;
  /** Tunnels to open first. */
  readonly destinations?: readonly string[];
  /** Given the way to open and close further tunnels while the stream lives. */
  readonly onOpen?: (tunnels: Tunnels) => void;
}

export interface Tunnels {
  add(id: string): void;
  remove(id: string): void;
}

/** Runs until the signal aborts (then it says goodbye) or the stream breaks (then it throws). */
export async function coordinate(
  client: TailnetClient,
  options: CoordinateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { conn, peers, clock, announceReady } = options;
  signal.throwIfAborted();
  const stream = client.coordinate();
  const failed = (): void => stream.close();
  /** One request after the other; a failure shows in what is received. */
  let sending: Promise<void> = Promise.resolve();
  const send = (request: Parameters<Coordination["send"]>[0]): void => {
    sending = sending.then(() => stream.send(request)).catch(failed);
  };
  for (const id of options.destinations ?? []) send({ addTunnel: { id: uuidBytes(id) } });
  options.onOpen?.({
    add: (id) => send({ addTunnel: { id: uuidBytes(id) } }),
    remove: (id) => send({ removeTunnel: { id: uuidBytes(id) } }),
  });
  const endNode = conn.onNode((node: Node) => send({ updateSelf: { node } }));
  const onAbort = (): void => {
    send({ disconnect: {} });
    // The coordinator hangs up; who does not hear from it goes anyway.
    const timer = clock.timer(goodbyeMs, failed, { unref: true });
    stream.signal.addEventListener("abort", () => timer.stop(), { once: true });
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (let response = await stream.receive(); response; response = await stream.receive()) {
      if (response.error !== "") throw new Error(`the coordinator ended the stream: ${response.error}`);
      for (const update of response.peerUpdates) {
        peers.update(update);
        if (announceReady && update.kind === Kind.NODE) send({ readyForHandshake: [{ id: update.id }] });
      }
    }
    if (!signal.aborted) throw new Error("the coordinator hung up");
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    endNode();
    stream.close();
    if (!signal.aborted) peers.allLost();
  }
}

/** Runs until the signal aborts or the stream breaks. Embedded relays are taken to stand at `serverUrl`. */
export async function followDerpMaps(
  client: TailnetClient,
  options: { readonly serverUrl: string; readonly onMap: (map: DERPMap) => void },
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const map of client.streamDERPMaps({}, { signal })) {
      options.onMap(rewriteDerpMap(map, options.serverUrl));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return;
  }
  if (!signal.aborted) throw new Error("the server ended its stream of DERP maps");
}
