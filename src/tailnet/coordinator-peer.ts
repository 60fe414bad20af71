/** One peer's stream at the coordinator: its identity and a bounded queue of responses, read by one consumer. */
import { create } from "@bufbuild/protobuf";
import {
  type CoordinateRequest,
  type CoordinateResponse,
  CoordinateResponse_PeerUpdateSchema,
  CoordinateResponseSchema,
  CoordinateResponse_PeerUpdate_Kind as Kind,
  type CoordinateResponse_PeerUpdate,
  type Node,
} from "#rpc/gen/tailnet_pb.js";
import { uuidBytes } from "./addresses.ts";
import type { PeerAuth } from "./tunnel-auth.ts";

export { Kind };

const responseLimit = 512;
/** Updates in one message. */
const chunkSize = 1024;

/** What the holder of a stream has. */
export interface CoordinatorStream {
  readonly id: string;
  /** Resolves when the request has taken effect. After the end of the stream it does nothing. */
  request(request: CoordinateRequest): Promise<void>;
  /** Ends when the coordinator hangs up. To be read by one consumer. */
  responses(): AsyncIterable<CoordinateResponse>;
  /** The transport is gone: other peers are told that this one is lost. */
  lose(): void;
}

export class Peer {
  readonly id: string;
  readonly auth: PeerAuth;
  /** Shown on the debug page. */
  readonly name: string;
  readonly start: Date;
  /** How often the same id connected anew. */
  overwrites = 0;
  node: Node | undefined;
  nodeBytes = "";
  /** Peers whose node this one was sent, with that node's bytes. */
  readonly sent = new Map<string, string>();
  #queue: CoordinateResponse[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(id: string, auth: PeerAuth, name: string, start: Date) {
    this.id = id;
    this.auth = auth;
    this.name = name;
    this.start = start;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** False when too many responses wait: slow readers are cut off, never waited for. */
  enqueue(updates: readonly CoordinateResponse_PeerUpdate[]): boolean {
    for (const part of chunks(updates, chunkSize)) {
      if (this.#queue.length >= responseLimit) return false;
      this.#queue.push(create(CoordinateResponseSchema, { peerUpdates: [...part] }));
    }
    this.#wake?.();
    return true;
  }

  fail(error: string): void {
    this.#queue.push(create(CoordinateResponseSchema, { error }));
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *responses(): AsyncIterable<CoordinateResponse> {
    for (;;) {
      const waiting = this.#queue;
      this.#queue = [];
      yield* waiting;
      if (this.#queue.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }
}

export function peerUpdate(
  id: string,
  kind: CoordinateResponse_PeerUpdate["kind"],
  reason: string,
  node?: Node,
): CoordinateResponse_PeerUpdate {
  return create(CoordinateResponse_PeerUpdateSchema, {
    id: uuidBytes(id),
    kind,
    reason,
    ...(node ? { node } : {}),
  });
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += size) out.push(items.slice(at, at + size));
  return out;
}
