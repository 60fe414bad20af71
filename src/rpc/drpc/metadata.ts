/** Payload of InvokeMetadata packets: a protobuf message with `map<string, string>` as field 1. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DrpcProtocolError } from "./wire.ts";

export type Metadata = Readonly<Record<string, string>>;

export function encodeMetadata(metadata: Metadata): Uint8Array {
  const writer = new BinaryWriter();
  for (const [key, value] of Object.entries(metadata)) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).string(value);
    writer.join();
  }
  return writer.finish();
}

export function decodeMetadata(data: Uint8Array): Metadata {
  try {
    const out = new Map<string, string>();
    const reader = new BinaryReader(data);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field !== 1 || type !== WireType.LengthDelimited) {
        reader.skip(type, field);
        continue;
      }
      const [key, value] = decodeEntry(reader.bytes());
      out.set(key, value);
    }
    return Object.fromEntries(out);
  } catch (cause) {
    throw new DrpcProtocolError("cannot decode the metadata of a call", { cause });
  }
}

function decodeEntry(data: Uint8Array): [string, string] {
  const reader = new BinaryReader(data);
  const entry: [string, string] = ["", ""];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) entry[0] = reader.string();
    else if (field === 2) entry[1] = reader.string();
    else reader.skip(type, field);
  }
  return entry;
}
