/** A line of `ls -l`, which clients show for a directory's entries. */
import type { Attrs } from "./codec.ts";

const kinds: Readonly<Record<number, string>> = {
  0o140000: "s",
  0o120000: "l",
  0o100000: "-",
  0o060000: "b",
  0o040000: "d",
  0o020000: "c",
  0o010000: "p",
};
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

export function longName(name: Buffer, { mode, uid, gid, size, mtime }: Required<Attrs>): Buffer {
  const rights = Array.from((mode & 0o777).toString(2).padStart(9, "0"))
    .map((bit, at) => (bit === "1" ? "rwx".charAt(at % 3) : "-"))
    .join("");
  const at = new Date(mtime * 1000);
  const date = `${months[at.getUTCMonth()] ?? ""} ${String(at.getUTCDate()).padStart(2)} ${at.getUTCFullYear()}`;
  const line = `${kinds[mode & 0o170000] ?? "?"}${rights}    1 ${String(uid).padEnd(8)} ${String(gid).padEnd(8)} ${String(size).padStart(8)} ${date} `;
  return Buffer.concat([Buffer.from(line), name]);
}
