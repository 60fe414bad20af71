/**
 * DERP maps (spec network §10): protobuf messages inside, Go's JSON names at the HTTP edge. Building the server's own,
 * rewriting the embedded relay's address to the one that a client uses, comparing.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type DERPMap, DERPMapSchema, type DERPMap_Region } from "#rpc/gen/tailnet_pb.js";

export interface DerpNodeJson {
  readonly Name: string;
  readonly RegionID: number;
  readonly HostName: string;
  readonly CertName?: string | undefined;
  readonly IPv4?: string | undefined;
  readonly IPv6?: string | undefined;
  readonly STUNPort?: number | undefined;
  readonly STUNOnly?: boolean | undefined;
  readonly DERPPort?: number | undefined;
  readonly InsecureForTests?: boolean | undefined;
  readonly ForceHTTP?: boolean | undefined;
  readonly STUNTestIP?: string | undefined;
  readonly CanPort80?: boolean | undefined;
}

export interface DerpRegionJson {
  readonly EmbeddedRelay: boolean;
  readonly RegionID: number;
  readonly RegionCode: string;
  readonly RegionName: string;
  readonly Avoid?: boolean | undefined;
  readonly Nodes: readonly DerpNodeJson[];
}

export interface DerpMapJson {
  readonly HomeParams?: { readonly RegionScore?: Readonly<Record<string, number>> | undefined } | undefined;
  readonly Regions: Readonly<Record<string, DerpRegionJson>>;
  readonly omitDefaultRegions?: boolean | undefined;
}

export function derpMapFromJson(json: DerpMapJson): DERPMap {
  const regions: Record<string, MessageInitShape<typeof DERPMapSchema.field.regions.message & object>> = {};
  for (const [id, region] of Object.entries(json.Regions)) {
    regions[id] = {
      regionId: BigInt(region.RegionID),
      embeddedRelay: region.EmbeddedRelay,
      regionCode: region.RegionCode,
      regionName: region.RegionName,
      avoid: region.Avoid ?? false,
      nodes: region.Nodes.map((node) => ({
        name: node.Name,
        regionId: BigInt(node.RegionID),
        hostName: node.HostName,
        certName: node.CertName ?? "",
        ipv4: node.IPv4 ?? "",
        ipv6: node.IPv6 ?? "",
        stunPort: node.STUNPort ?? 0,
        stunOnly: node.STUNOnly ?? false,
        derpPort: node.DERPPort ?? 0,
        insecureForTests: node.InsecureForTests ?? false,
        forceHttp: node.ForceHTTP ?? false,
        stunTestIp: node.STUNTestIP ?? "",
        canPort80: node.CanPort80 ?? false,
      })),
    };
  }
  return create(DERPMapSchema, {
    homeParams: { regionScore: { ...json.HomeParams?.RegionScore } },
    regions,
  });
}

/** Empty fields are left out, as Go does. */
export function derpMapToJson(map: DERPMap): DerpMapJson {
  const scores = map.homeParams?.regionScore ?? {};
  return {
    ...(Object.keys(scores).length > 0 ? { HomeParams: { RegionScore: { ...scores } } } : {}),
    Regions: Object.fromEntries(
      Object.entries(map.regions).map(([id, region]) => [
        id,
        {
          EmbeddedRelay: region.embeddedRelay,
          RegionID: Number(region.regionId),
          RegionCode: region.regionCode,
          RegionName: region.regionName,
          ...(region.avoid ? { Avoid: true } : {}),
          Nodes: region.nodes.map((node) => ({
            Name: node.name,
            RegionID: Number(node.regionId),
            HostName: node.hostName,
            ...(node.certName === "" ? {} : { CertName: node.certName }),
            ...(node.ipv4 === "" ? {} : { IPv4: node.ipv4 }),
            ...(node.ipv6 === "" ? {} : { IPv6: node.ipv6 }),
            ...(node.stunPort === 0 ? {} : { STUNPort: node.stunPort }),
            ...(node.stunOnly ? { STUNOnly: true } : {}),
            ...(node.derpPort === 0 ? {} : { DERPPort: node.derpPort }),
            ...(node.insecureForTests ? { InsecureForTests: true } : {}),
            ...(node.forceHttp ? { ForceHTTP: true } : {}),
            ...(node.stunTestIp === "" ? {} : { STUNTestIP: node.stunTestIp }),
            ...(node.canPort80 ? { CanPort80: true } : {}),
          })),
        },
      ]),
    ),
  };
}

/** How a server's own relay is called on the map. */
export interface RelayRegion {
  readonly id: number;
  readonly code: string;
  readonly name: string;
}

export const defaultRelayRegion: RelayRegion = { id: 999, code: "coder", name: "Coder Embedded Relay" };

/** The map of a server whose only relay is the one inside it. */
export function embeddedDerpMap(accessUrl: string, region: RelayRegion = defaultRelayRegion): DERPMap {
  const { hostname, port, http } = partsOf(accessUrl);
  return derpMapFromJson({
    Regions: {
      [region.id]: {
        EmbeddedRelay: true,
        RegionID: region.id,
        RegionCode: region.code,
        RegionName: region.name,
        Nodes: [
          {
            Name: `${region.id}b`,
            RegionID: region.id,
            HostName: hostname,
            DERPPort: port,
            STUNPort: -1,
            ForceHTTP: http,
          },
        ],
      },
    },
  });
}

/** A copy in which embedded relays stand at the address that this client uses. */
export function rewriteDerpMap(map: DERPMap, serverUrl: string): DERPMap {
  const { hostname, port, http } = partsOf(serverUrl);
  const copy = derpMapFromJson(derpMapToJson(map));
  for (const region of Object.values(copy.regions)) {
    if (!region.embeddedRelay) continue;
    for (const node of region.nodes) {
      if (node.stunOnly) continue;
      node.hostName = hostname;
      node.derpPort = port;
      node.forceHttp = http;
    }
  }
  return copy;
}

/** Regions that relay, by id. Regions marked to be avoided come last. */
export function relayRegions(map: DERPMap): DERPMap_Region[] {
  return Object.values(map.regions)
    .filter((region) => region.nodes.some((node) => !node.stunOnly))
    .toSorted((a, b) => Number(a.avoid) - Number(b.avoid) || Number(a.regionId - b.regionId));
}

/** Whether two maps say the same of everything that a peer acts on. */
export function sameDerpMap(a: DERPMap, b: DERPMap): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

function comparable(map: DERPMap): unknown {
  const json = derpMapToJson(map);
  const scores = Object.entries(json.HomeParams?.RegionScore ?? {}).toSorted(
    ([x], [y]) => Number(x) - Number(y),
  );
  const regions = Object.values(json.Regions)
    .map((region) => ({
      ...region,
      Nodes: region.Nodes.map((node) => ({ ...node, CanPort80: undefined })).toSorted((x, y) =>
        x.Name < y.Name ? -1 : 1,
      ),
    }))
    .toSorted((x, y) => x.RegionID - y.RegionID);
  return [scores, regions];
}

function partsOf(url: string): { readonly hostname: string; readonly port: number; readonly http: boolean } {
  const parsed = new URL(url);
  const http = parsed.protocol === "http:" || parsed.protocol === "ws:";
  return {
    hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (http ? 80 : 443) : Number(parsed.port),
    http,
  };
}
