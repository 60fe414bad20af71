/**
 * Server side of `coder.tailnet.v2.Tailnet` (spec network §4): what an agent and a client may call. coderd serves it on
 * the agent's RPC connection, next to the Agent service, and on the clients' coordinate connections.
 */
import type { CallInfo, Handlers } from "#rpc/drpc/server.ts";
import type { MessageStream } from "#rpc/drpc/messages.ts";
import type {
  CoordinateRequestSchema,
  CoordinateResponseSchema,
  DERPMap,
  Tailnet,
} from "#rpc/gen/tailnet_pb.js";
import type { Clock } from "#quartz/clock.ts";
import { sameDerpMap } from "#net/derp/map.ts";
import type { ConnectOptions, Coordinator } from "./coordinator.ts";
import type { ResumeToken } from "./resume.ts";

const mapCompareMs = 5_000;

export interface TailnetServiceOptions {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly derpMap: () => DERPMap;
  /** Who is on this connection. */
  readonly peer: ConnectOptions;
  /** Clients only. */
  readonly resumeToken?: () => ResumeToken;
}

export function tailnetService(options: TailnetServiceOptions): Handlers<typeof Tailnet> {
  const { resumeToken } = options;
  return {
    coordinate: (stream, info) => serveCoordinate(options, stream, info),
    streamDERPMaps: async (_request, stream, { signal }) => {
      let last: DERPMap | undefined;
      const sendIfNew = async (): Promise<void> => {
        const map = options.derpMap();
        if (last && sameDerpMap(last, map)) return;
        last = map;
        await stream.send(map);
      };
      await sendIfNew();
      for await (const _ of options.clock.ticks(mapCompareMs, { signal, tag: "derp-map", unref: true })) {
        await sendIfNew();
      }
    },
    // Events are accepted and dropped: this deployment reports to nobody.
    postTelemetry: () => ({}),
    ...(resumeToken
      ? {
          refreshResumeToken: () => {
            const { token, refreshInSeconds, expiresAt } = resumeToken();
            return {
              token,
              refreshIn: { seconds: BigInt(refreshInSeconds), nanos: 0 },
              expiresAt: { seconds: BigInt(expiresAt.getTime() / 1000), nanos: 0 },
            };
          },
        }
      : {}),
  };
}

async function serveCoordinate(
  { coordinator, peer }: TailnetServiceOptions,
  stream: MessageStream<typeof CoordinateResponseSchema, typeof CoordinateRequestSchema>,
  { signal }: CallInfo,
): Promise<void> {
  const connected = coordinator.connect(peer);
  const lose = (): void => connected.lose();
  signal.addEventListener("abort", lose, { once: true });
  if (signal.aborted) lose();
  const requests = (async () => {
    for await (const request of stream) await connected.request(request);
  })()
    // A broken stream and one that ends without goodbye are the same to the others.
    .catch(() => {})
    .finally(lose);
  for await (const response of connected.responses()) await stream.send(response);
  stream.close();
  await requests;
}
