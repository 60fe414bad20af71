/** Every function that templates may call, for one evaluation. */
import { createHash } from "node:crypto";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import type { HclFunction } from "../hcl/scope.ts";
import { bcryptFunction } from "./bcrypt.ts";
import { collectionFunctions } from "./collections.ts";
import { conversionFunctions } from "./conversion.ts";
import { define, type FunctionTable, number, text, textOf } from "./define.ts";
import { encodingFunctions } from "./encoding.ts";
import { type FileAccess, fileFunctions } from "./files.ts";
import { networkFunctions } from "./network.ts";
import { numericFunctions } from "./numeric.ts";
import { textFunctions } from "./text.ts";
import { timeFunctions } from "./time.ts";

export interface FunctionOptions {
  readonly clock: Clock;
  readonly rand: Rand;
  readonly planTime: Date;
  readonly files: FileAccess;
  /** Functions whose result may differ at apply (`uuid`, `timestamp`, `bcrypt`) are unknown while planning. */
  readonly impure: "unknown" | "now";
}

const namespaces: Readonly<Record<string, string>> = {
  dns: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  url: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
  oid: "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
  x500: "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
};

/** RFC 9562 §5.5. */
function uuidV5(namespace: string, name: string): string {
  const id = Object.hasOwn(namespaces, namespace) ? (namespaces[namespace] ?? "") : namespace;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    throw new ValueError(`uuidv5() doesn't support namespace ${JSON.stringify(namespace.slice(0, 60))}`, 0);
  }
  const digest = createHash("sha1")
    .update(Buffer.from(id.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

export function makeFunctions(options: FunctionOptions): (name: string) => HclFunction | undefined {
  const times = timeFunctions(() => options.clock.now(), options.planTime);
  const impure: FunctionTable = {
    uuid: define({ returns: t.string }, () => v.str(options.rand.uuid())),
    timestamp: times["timestamp"] ?? define({}, () => v.unknownOf(t.string)),
    bcrypt: bcryptFunction(options.rand),
  };
  const held = define({ returns: t.string }, () => v.unknownOf(t.string));
  const heldBcrypt = define({ params: [text], rest: number, returns: t.string }, () => v.unknownOf(t.string));
  const table: FunctionTable = {
    ...textFunctions,
    ...collectionFunctions,
    ...numericFunctions,
    ...encodingFunctions,
    ...conversionFunctions,
    ...networkFunctions,
    ...times,
    ...fileFunctions(options.files),
    uuidv5: define({ params: [text, text], returns: t.string }, (args) =>
      v.str(uuidV5(textOf(args[0]), textOf(args[1]))),
    ),
    ...(options.impure === "now" ? impure : { uuid: held, timestamp: held, bcrypt: heldBcrypt }),
  };
  return (name) => {
    const plain = name.startsWith("core::") ? name.slice("core::".length) : name;
    return Object.hasOwn(table, plain) ? table[plain] : undefined;
  };
}
