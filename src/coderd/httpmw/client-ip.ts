/** The client's address: forwarded headers count only when the peer is a proxy that the operator trusts. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

export interface ProxyTrust {
  /** Networks (`10.0.0.0/8`) or addresses of proxies. */
  readonly origins: readonly string[];
  /** Headers that those proxies set, tried in order. */
  readonly headers: readonly string[];
}

/** Throws for an origin that is no network. */
export function clientIpReader(trust: ProxyTrust): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const origin of trust.origins) {
    const [address = "", bits] = origin.split("/");
    const version = isIP(address);
    if (version === 0) {
      throw new Error(`proxy origin must be a network such as 10.0.0.0/8: received ${origin}`);
    }
    const family = version === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const headers = trust.headers.map((name) => name.toLowerCase());
  return (request) => {
    const peer = plain(request.socket.remoteAddress ?? "");
    if (
      headers.length === 0 ||
      isIP(peer) === 0 ||
      !trusted.check(peer, isIP(peer) === 4 ? "ipv4" : "ipv6")
    ) {
      return peer;
    }
    for (const name of headers) {
      const value = request.headers[name];
      const first = plain(
        (Array.isArray(value) ? (value[0] ?? "") : (value ?? "")).split(",")[0]?.trim() ?? "",
      );
      if (isIP(first) !== 0) return first;
    }
    return peer;
  };
}

/** IPv4 addresses come as `::ffff:1.2.3.4` from sockets that listen on both. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");
