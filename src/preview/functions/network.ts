/** CIDR arithmetic, IPv4 and IPv6. */
import { isIPv4, isIPv6 } from "node:net";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import { define, type FunctionTable, intOf, number, numOf, stringList, text, textOf } from "./define.ts";

interface Network {
  readonly address: bigint;
  readonly bits: 32 | 128;
  readonly prefix: number;
}

function parseAddress(source: string): { readonly address: bigint; readonly bits: 32 | 128 } | undefined {
  if (isIPv4(source)) {
    return { address: source.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32 };
  }
  if (!isIPv6(source) || source.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(source);
  const tail = dotted ? parseAddress(dotted[2] ?? "") : undefined;
  const plain =
    dotted && tail
      ? `${dotted[1]}${(tail.address >> 16n).toString(16)}:${(tail.address & 0xffffn).toString(16)}`
      : source;
  const [head = "", rest] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = rest === undefined || rest === "" ? [] : rest.split(":");
  const zeros = rest === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return {
    address: [...left, ...zeros, ...right].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n),
    bits: 128,
  };
}

function parseNetwork(source: string, at = 0): Network {
  const [host = "", length = ""] = source.split("/");
  const parsed = parseAddress(host);
  const prefix = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!parsed || !(prefix <= parsed.bits)) {
    throw new ValueError(`invalid CIDR expression: invalid CIDR address: ${source.slice(0, 80)}`, at);
  }
  const host0 = BigInt(parsed.bits - prefix);
  return { address: (parsed.address >> host0) << host0, bits: parsed.bits, prefix };
}

function printAddress(address: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_none, at) =>
    ((address >> BigInt(112 - at * 16)) & 0xffffn).toString(16),
  );
  let best = { from: -1, length: 1 };
  for (let from = 0; from < 8; from += 1) {
    let length = 0;
    while (from + length < 8 && groups[from + length] === "0") length += 1;
    if (length > best.length) best = { from, length };
  }
  if (best.from < 0) return groups.join(":");
  return `${groups.slice(0, best.from).join(":")}::${groups.slice(best.from + best.length).join(":")}`;
}

function subnet(network: Network, newBits: number, number: bigint): string {
  const prefix = network.prefix + newBits;
  if (newBits < 0 || prefix > network.bits) {
    throw new ValueError(`insufficient address space to extend prefix of ${network.prefix} by ${newBits}`);
  }
  if (number < 0n || number >= 1n << BigInt(newBits)) {
    throw new ValueError(`prefix extension of ${newBits} does not accommodate a subnet numbered ${number}`);
  }
  return `${printAddress(network.address | (number << BigInt(network.bits - prefix)), network.bits)}/${prefix}`;
}

function host(network: Network, number: bigint): string {
  const size = 1n << BigInt(network.bits - network.prefix);
  const at = number < 0n ? size + number : number;
  if (at < 0n || at >= size) {
    throw new ValueError(`prefix of ${network.prefix} does not accommodate a host numbered ${number}`);
  }
  return printAddress(network.address + at, network.bits);
}

function netmask(network: Network): string {
  if (network.bits !== 32) throw new ValueError("IPv6 addresses cannot have a netmask", 0);
  const zeros = BigInt(32 - network.prefix);
  return printAddress((0xffff_ffffn >> zeros) << zeros, 32);
}

/** Networks one after the other, each aligned to its size. */
function subnets(network: Network, newBits: readonly number[]): string[] {
  const out: string[] = [];
  let next = network.address;
  const end = network.address + (1n << BigInt(network.bits - network.prefix));
  for (const bits of newBits) {
    const prefix = network.prefix + bits;
    if (bits < 1 || prefix > network.bits) {
      throw new ValueError(`cannot extend prefix of ${network.prefix} by ${bits}`);
    }
    const size = 1n << BigInt(network.bits - prefix);
    const start = ((next + size - 1n) / size) * size;
    if (start + size > end) throw new ValueError("not enough remaining address space for a subnet");
    out.push(`${printAddress(start, network.bits)}/${prefix}`);
    next = start + size;
  }
  return out;
}

const bigOf = (value: Parameters<typeof numOf>[0]): bigint => {
  const whole = numOf(value);
  if (whole.e < 0) throw new ValueError("a whole number is required");
  return whole.m << BigInt(whole.e);
};

export const networkFunctions: FunctionTable = {
  cidrhost: define({ params: [text, number], returns: t.string }, (args) =>
    v.str(host(parseNetwork(textOf(args[0])), bigOf(args[1]))),
  ),
  cidrnetmask: define({ params: [text], returns: t.string }, (args) =>
    v.str(netmask(parseNetwork(textOf(args[0])))),
  ),
  cidrsubnet: define({ params: [text, number, number], returns: t.string }, (args) =>
    v.str(subnet(parseNetwork(textOf(args[0])), intOf(args[1]), bigOf(args[2]))),
  ),
  cidrsubnets: define({ params: [text], rest: number, returns: t.list(t.string) }, (args) =>
    stringList(subnets(parseNetwork(textOf(args[0])), args.slice(1).map(intOf))),
  ),
};
