/** Standard input as a whole: archives, states, secrets that are piped in. */
import type { Invocation } from "#serpent/command.ts";
import { UserError } from "./errors.ts";

/** Throws when there is more than `limit` bytes. */
export async function readAll(inv: Invocation, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of inv.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > limit) throw new UserError(`standard input has more than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
