/**
 * The file in which X programs find the cookie of a display. Pure. An entry, all numbers 16 bits, big endian:
 *
 *     family │ length, host │ length, display number as text │ length, protocol │ length, cookie
 */

/** Another program on this machine; the address is the host's name. */
const local = 0x0100;
/** A file that is larger was not made by hand or ssh. */
export const maxAuthorityBytes = 1 << 20;

export interface AuthorityEntry {
  readonly host: string;
  readonly display: number;
  readonly protocol: string;
  readonly cookie: Uint8Array;
}

/** The file with the entry in place of earlier ones of the same display; what cannot be read of it is dropped. */
export function withAuthority(file: Uint8Array, entry: AuthorityEntry): Buffer {
  const key = Buffer.concat([number16(local), field(entry.host), field(String(entry.display))]);
  const kept = entriesOf(file).filter((one) => !one.subarray(0, key.length).equals(key));
  return Buffer.concat([...kept, key, field(entry.protocol), field(entry.cookie)]);
}

function entriesOf(file: Uint8Array): Buffer[] {
  const bytes = Buffer.from(file);
  const entries: Buffer[] = [];
  let at = 0;
  for (;;) {
    let end = at + 2;
    for (let part = 0; part < 4; part++) {
      if (end + 2 > bytes.length) return entries;
      end += 2 + bytes.readUInt16BE(end);
    }
    if (end > bytes.length) return entries;
    entries.push(bytes.subarray(at, end));
    at = end;
  }
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number16(bytes.length), bytes]);
}
