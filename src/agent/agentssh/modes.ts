/**
 * Terminal modes of a `pty-req` (RFC 4254 §8, IUTF8 by RFC 8160) as arguments of stty. Pure.
 *
 *     opcode (1 byte), value (4 bytes), …, 0
 */

/** Flags by opcode, with how our terminals begin. */
const flags: ReadonlyMap<number, { readonly name: string; readonly on: boolean }> = new Map([
  [30, { name: "ignpar", on: false }],
  [31, { name: "parmrk", on: false }],
  [32, { name: "inpck", on: false }],
  [33, { name: "istrip", on: false }],
  [34, { name: "inlcr", on: false }],
  [35, { name: "igncr", on: false }],
  [36, { name: "icrnl", on: true }],
  [38, { name: "ixon", on: true }],
  [39, { name: "ixany", on: true }],
  [40, { name: "ixoff", on: false }],
  [41, { name: "imaxbel", on: true }],
  [42, { name: "iutf8", on: true }],
  [50, { name: "isig", on: true }],
  [51, { name: "icanon", on: true }],
  [53, { name: "echo", on: true }],
  [54, { name: "echoe", on: true }],
  [55, { name: "echok", on: true }],
  [56, { name: "echonl", on: false }],
  [57, { name: "noflsh", on: false }],
  [58, { name: "tostop", on: false }],
  [59, { name: "iexten", on: true }],
  [60, { name: "echoctl", on: true }],
  [61, { name: "echoke", on: true }],
  [70, { name: "opost", on: true }],
  [72, { name: "onlcr", on: true }],
  [73, { name: "ocrnl", on: false }],
  [74, { name: "onocr", on: false }],
  [75, { name: "onlret", on: false }],
]);

/** Characters by opcode, with how our terminals begin; 255 is none. */
const characters: ReadonlyMap<number, { readonly name: string; readonly value: number }> = new Map([
  [1, { name: "intr", value: 3 }],
  [2, { name: "quit", value: 28 }],
  [3, { name: "erase", value: 127 }],
  [4, { name: "kill", value: 21 }],
  [5, { name: "eof", value: 4 }],
  [6, { name: "eol", value: 255 }],
  [7, { name: "eol2", value: 255 }],
  [8, { name: "start", value: 17 }],
  [9, { name: "stop", value: 19 }],
  [10, { name: "susp", value: 26 }],
  [12, { name: "rprnt", value: 18 }],
  [13, { name: "werase", value: 23 }],
  [14, { name: "lnext", value: 22 }],
  [18, { name: "discard", value: 15 }],
]);

const none = 255;
/** Opcodes from here on have values of other sizes. */
const firstUnknown = 160;

export type Modes = ReadonlyMap<number, number>;

/** Up to the end, or to what cannot be read. */
export function parseModes(bytes: Uint8Array): Modes {
  const view = Buffer.from(bytes);
  const modes = new Map<number, number>();
  for (let at = 0; at + 5 <= view.length; at += 5) {
    const opcode = view.readUInt8(at);
    if (opcode === 0 || opcode >= firstUnknown) break;
    modes.set(opcode, view.readUInt32BE(at + 1));
  }
  return modes;
}

/** Only what differs from how our terminals begin; what a terminal of Linux does not know is left out. */
export function sttyArguments(modes: Modes): string[] {
  const args: string[] = [];
  for (const [opcode, value] of modes) {
    const flag = flags.get(opcode);
    if (flag && (value !== 0) !== flag.on) args.push(`${value === 0 ? "-" : ""}${flag.name}`);
    const character = characters.get(opcode);
    if (character && value !== character.value && value <= none) {
      // One digit would be taken for itself.
      const code = `0x${value.toString(16).padStart(2, "0")}`;
      args.push(character.name, value === none ? "undef" : code);
    }
  }
  return args;
}
