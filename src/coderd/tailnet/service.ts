/**
 * The tailnet API of one connection (spec network §4): coordination and DERP maps, served to agents on their own RPC
 * connection and to clients on theirs. Who the peer is was decided by authentication; what it says is checked by the
 * coordinator.
 */
import type { Clock } from "#quartz/clock.ts";
import { type DERPMap, Tailnet } from "#rpc/gen/tailnet_pb.js";
import { drpcRouter, type DrpcRouter } from "#rpc/drpc/server.ts";
import type { Coordinator } from "#tailnet/coordinator.ts";
import { type ResumeKey, signResumeToken } from "#tailnet/resume.ts";
import { tailnetService } from "#tailnet/service.ts";
import type { PeerAuth } from "#tailnet/tunnel-auth.ts";

export interface TailnetDeps {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  /** Signs the tokens by which clients keep their peer id: the key of now. */
  readonly resumeKey: () => ResumeKey;
  /** Relays as peers are told of them. */
  readonly derpMap: () => DERPMap;
}

export interface TailnetPeer {
  readonly id: string;
  readonly auth: PeerAuth;
  readonly name?: string;
}

export function tailnetRouter(deps: TailnetDeps, peer: TailnetPeer): DrpcRouter {
  const { coordinator, clock, derpMap, resumeKey } = deps;
  // An agent's id is its own; only clients have one that could be lost.
  const resumeToken = () => signResumeToken(resumeKey(), peer.id, clock.now());
  return drpcRouter(
    Tailnet,
    tailnetService({
      coordinator,
      clock,
      derpMap,
      peer,
      ...(peer.auth.kind === "agent" ? {} : { resumeToken }),
    }),
  );
}
