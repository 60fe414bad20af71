/** Processes of this machine, told apart although their numbers come back. Linux's /proc; elsewhere nobody is known. */
import { readFileSync } from "node:fs";

/** Ticks since boot at which a process started (field 22 of its stat line); undefined if there is none, or a dead one. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
