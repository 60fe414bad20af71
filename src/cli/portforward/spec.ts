/** What `port-forward --tcp` takes: `[ip:]local[-end][:remote[-end]]`. Pure. */
import { isIP } from "node:net";
import { UserError } from "../errors.ts";

export interface Forward {
  /** Undefined: both loopback addresses. */
  readonly host: string | undefined;
  readonly localPort: number;
  readonly remotePort: number;
}

/** One forward for each port. Throws on bad ports, unequal ranges and a local port given twice. */
export function parseForwards(specs: readonly string[]): Forward[] {
  const out = specs.flatMap(parseSpec);
  const seen = new Set<string>();
  for (const { host, localPort } of out) {
    const key = `${host ?? "127.0.0.1"}:${localPort}`;
    if (seen.has(key)) throw new UserError(`local port ${localPort} is given twice`);
    seen.add(key);
  }
  return out;
}

function parseSpec(spec: string): Forward[] {
  const text = spec.trim();
  const match = /^(?:(\[[^\]]*\]|[0-9.]+):(?=[^:]+))?([0-9]+(?:-[0-9]+)?)(?::([0-9]+(?:-[0-9]+)?))?$/.exec(
    text,
  );
  // `8080:80` alone matches with 8080 as an address: an address has dots or brackets.
  const parts = match?.[1] !== undefined && /^\d+$/.test(match[1]) ? undefined : match;
  const [, address, local = "", remote] = parts ?? /^()(\d+(?:-\d+)?)(?::(\d+(?:-\d+)?))?$/.exec(text) ?? [];
  if (local === "") throw wrong(spec, "want [ip:]local[-end][:remote[-end]]");
  const host = address ? address.replace(/^\[|\]$/g, "") : undefined;
  if (host !== undefined && isIP(host) === 0) throw wrong(spec, `${JSON.stringify(host)} is no IP address`);
  const from = range(spec, local);
  const to = range(spec, remote ?? local);
  if (from.length !== to.length) throw wrong(spec, "both ranges must have the same length");
  return from.map((localPort, at) => ({ host, localPort, remotePort: to[at] ?? localPort }));
}

function range(spec: string, text: string): number[] {
  const [first = 0, last = first] = text.split("-").map(Number);
  for (const port of [first, last]) {
    if (port < 1 || port > 65_535) throw wrong(spec, `${port} is no port`);
  }
  if (last < first) throw wrong(spec, `the range ${text} ends before it begins`);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

const wrong = (spec: string, why: string): UserError =>
  new UserError(`cannot forward ${JSON.stringify(spec)}: ${why}`);
