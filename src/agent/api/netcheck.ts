/** What an agent knows of its ways to the world, in the form that stock clients read (spec agent §16). */
import { networkInterfaces } from "node:os";
import type { Node } from "#rpc/gen/tailnet_pb.js";

export function netcheckReport(node: Pick<Node, "preferredDerp" | "derpLatency">): unknown {
  const interfaces = Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
    name,
    mtu: 0,
    addresses: addresses.map(({ address, cidr }) => cidr ?? address),
  }));
  const all = interfaces.flatMap(({ addresses }) => addresses);
  const byRegion = Object.entries(node.derpLatency)
    .filter(([name]) => name.endsWith("-v4"))
    .map(([name, seconds]) => [name.slice(0, -3), seconds]);
  const sound = { severity: "ok", warnings: null, dismissed: false };
  return {
    ...sound,
    net_info: {
      MappingVariesByDestIP: null,
      HairPinning: null,
      WorkingIPv6: false,
      OSHasIPv6: all.some((address) => address.includes(":")),
      // Everything is relayed: no packet of ours leaves by UDP.
      WorkingUDP: false,
      WorkingICMPv4: false,
      UPnP: false,
      PMP: false,
      PCP: false,
      PreferredDERP: node.preferredDerp,
      DERPLatency: { ...node.derpLatency },
      DERPLatencyV4: Object.fromEntries(byRegion),
      IPv4: all.some((address) => address.includes(".")),
      ICMPv4: false,
      GlobalV4: "",
      GlobalV6: "",
      CaptivePortal: null,
    },
    interfaces: { ...sound, interfaces },
  };
}
