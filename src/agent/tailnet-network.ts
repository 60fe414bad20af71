/** The agent's network over the real tailnet: what programs pass as `startNetwork`. */
import { TailnetAgentNetwork } from "#tailnet/agent-network.ts";
import type { AgentNetwork, NetworkOptions } from "./network.ts";
import type { Traffic } from "./stats.ts";

export async function startTailnetNetwork(options: NetworkOptions): Promise<AgentNetwork> {
  const network = TailnetAgentNetwork.start(options);
  let before = network.totals();
  return {
    update: (facts) => network.update(facts),
    coordinate: (tailnet, signal) => network.coordinate(tailnet, signal),
    followDerpMaps: (tailnet, signal) => network.followDerpMaps(tailnet, signal),
    node: () => network.node(),
    traffic(): Traffic | undefined {
      const now = network.totals();
      const last = before;
      before = now;
      if (now.rxPackets === last.rxPackets && now.txPackets === last.txPackets) return undefined;
      return {
        connectionsByProto: { TCP: BigInt(now.connections) },
        connectionCount: BigInt(now.connections),
        rxPackets: BigInt(now.rxPackets - last.rxPackets),
        rxBytes: BigInt(now.rxBytes - last.rxBytes),
        txPackets: BigInt(now.txPackets - last.txPackets),
        txBytes: BigInt(now.txBytes - last.txBytes),
        medianLatencyMs: undefined,
      };
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}
