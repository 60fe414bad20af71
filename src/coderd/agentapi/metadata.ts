/** Bounds of what an agent reports as metadata (spec agent §10). Pure. */
import type { MetadataValue } from "./metadata-batcher.ts";

const maxText = 2048;
const maxKeys = 6144;

export interface MetadataReport {
  readonly values: MetadataValue[];
  /** What the call fails with: the keys that fit are taken all the same. */
  readonly problem: string | undefined;
}

export function boundMetadata(
  agentId: string,
  items: readonly { readonly key: string; readonly value: string; readonly error: string }[],
  now: Date,
): MetadataReport {
  const values: MetadataValue[] = [];
  let keys = 0;
  for (const item of items) {
    keys += Buffer.byteLength(item.key);
    if (keys > maxKeys) continue;
    const value = cut(item.value.trim());
    const error = item.error.trim();
    values.push({
      agentId,
      key: item.key,
      value: value.text,
      error:
        value.bytes > maxText
          ? `value of ${value.bytes} bytes exceeded ${maxText} bytes`
          : Buffer.byteLength(error) > maxText
            ? `error of ${Buffer.byteLength(error)} bytes exceeded ${maxText} bytes`
            : error.replaceAll("\0", "\u274C"),
      collectedAt: now,
    });
  }
  return {
    values,
    problem: keys > maxKeys ? `metadata keys of ${keys} bytes exceeded ${maxKeys} bytes` : undefined,
  };
}

function cut(text: string): { text: string; bytes: number } {
  const bytes = Buffer.byteLength(text);
  const kept =
    bytes <= maxText
      ? text
      : Buffer.from(text)
          .subarray(0, maxText)
          .toString()
          .replace(/\uFFFD$/u, "");
  return { text: kept.replaceAll("\0", "\u274C"), bytes };
}
