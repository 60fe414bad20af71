/** The server's share of the network: one coordinator, one relay, the map that tells of it. Made by coderd.ts. */
import { create } from "@bufbuild/protobuf";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import { derpHttp, type DerpHttp } from "#net/derp/http.ts";
import { embeddedDerpMap, type RelayRegion } from "#net/derp/map.ts";
import { DerpServer } from "#net/derp/server.ts";
import { newPrivateKey } from "#net/keys/x25519.ts";
import { type DERPMap, DERPMapSchema } from "#rpc/gen/tailnet_pb.js";
import { MemoryCoordinator, type Coordinator } from "#tailnet/coordinator.ts";
import type { CryptoKeys } from "../cryptokeys/cryptokeys.ts";
import type { ResumeKey } from "#tailnet/resume.ts";
import { ServerPeer } from "./peer.ts";
import type { TailnetDeps } from "./service.ts";

export interface NetworkConfig {
  readonly derpEnabled: boolean;
  readonly forceWebSockets: boolean;
  readonly blockDirect: boolean;
  readonly browserOnly: boolean;
  /** How the relay inside the server is called on the map. */
  readonly relayRegion: RelayRegion;
}

export interface NetworkOptions {
  readonly config: NetworkConfig;
  readonly accessUrl: () => string;
  readonly keys: CryptoKeys;
  readonly clock: Clock;
  readonly rand?: Rand;
  readonly log: Logger;
}

export interface ServerNetwork extends AsyncDisposable, TailnetDeps {
  readonly coordinator: Coordinator;
  readonly config: NetworkConfig;
  /** The key that a token names. */
  readonly resumeKeyById: (id: string) => Promise<ResumeKey | undefined>;
  /** Takes upgrades of the relay's path; undefined where no relay runs. */
  readonly derp: DerpHttp | undefined;
  /** Connects to a port of an agent through the server's own peer, which starts with the first use. */
  readonly dialAgent: ServerPeer["dialAgent"];
}

export function startNetwork({
  config,
  accessUrl,
  keys,
  clock,
  log,
  rand = cryptoRand,
}: NetworkOptions): ServerNetwork {
  const coordinator = new MemoryCoordinator({ clock });
  const relay = config.derpEnabled
    ? new DerpServer({
        key: newPrivateKey(rand),
        clock,
        rand,
        log: log.named("derp"),
        // Only whom the coordinator knows, or knew a while ago, may use the relay.
        admits: (publicKey) => coordinator.knowsKey(publicKey),
      })
    : undefined;
  let map: DERPMap | undefined;
  let peer: ServerPeer | undefined;
  const deps: TailnetDeps = {
    coordinator,
    clock,
    resumeKey: () => keys.signing("tailnet_resume"),
    derpMap: () =>
      (map ??= relay ? embeddedDerpMap(accessUrl(), config.relayRegion) : create(DERPMapSchema, {})),
  };
  const acceptRelay = relay && ((stream: Parameters<DerpServer["accept"]>[0]) => void relay.accept(stream));
  return {
    ...deps,
    coordinator,
    config,
    resumeKeyById: (id) => keys.verifying("tailnet_resume", id),
    derp: relay && derpHttp(relay),
    dialAgent: (agentId, port, options) => {
      peer ??= ServerPeer.start({ network: { ...deps, acceptRelay }, clock, rand, log: log.named("peer") });
      return peer.dialAgent(agentId, port, options);
    },
    async [Symbol.asyncDispose]() {
      await peer?.[Symbol.asyncDispose]();
      coordinator.close();
      await relay?.[Symbol.asyncDispose]();
    },
  };
}
