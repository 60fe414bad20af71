/**
 * The tailnet API of one connection (spec network §4): coordination and DERP maps, served to agents on their own RPC
 * connection and to clients on theirs. Who the peer is was decided by authentication; what it says is checked by the
 * coordinator.
 */
import type { DERPMap } from "#rpc/gen/tailnet_pb.js";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { drpcRouter, type DrpcRouter } from "#rpc/drpc/server.ts";
import type { Coordinator } from "#tailnet/coordinator.ts";
import type { PeerAuth } from "#tailnet/tunnel-auth.ts";

export interface TailnetDeps {
  readonly coordinator: Coordinator;
  /** Relays as peers are told of them. */
  readonly derpMap: () => DERPMap;
}

export interface TailnetPeer {
  readonly id: string;
  readonly auth: PeerAuth;
  readonly name?: string;
}

export function tailnetRouter({ coordinator, derpMap }: TailnetDeps, peer: TailnetPeer): DrpcRouter {
  return drpcRouter(Tailnet, {
    async coordinate(stream) {
      const connection = coordinator.connect(peer);
      // Ends this call when the coordinator hangs up or the peer is gone, whichever comes first.
      const answers = (async () => {
        for await (const response of connection.responses()) await stream.send(response);
      })();
      const requests = (async () => {
        for await (const request of stream) await connection.request(request);
      })();
      try {
        await Promise.race([answers, requests]);
      } finally {
        connection.lose();
        await Promise.allSettled([answers, requests]);
      }
    },
    async streamDERPMaps(_request, stream, { signal }) {
      // The map of one replica does not change while it runs; the stream stays open, because peers count on it.
      await stream.send(derpMap());
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
    // Accepted and dropped: this server keeps no measurements of its users' networks.
    postTelemetry: () => ({}),
  });
}
