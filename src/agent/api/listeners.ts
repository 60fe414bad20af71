/** TCP ports that programs of this machine listen on, and which programs (Linux: /proc). */
import { readdir, readFile, readlink } from "node:fs/promises";

export interface Listener {
  readonly port: number;
  /** Of the socket; names it as long as it lives. */
  readonly inode: string;
}

export interface Owner {
  readonly pid: number;
  readonly name: string;
  /** Its command line, words joined by spaces. */
  readonly commandLine: string;
}

const listenState = "0A";

/** Of /proc/net/tcp and tcp6; the first of each port. Pure. */
export function parseListeners(table: string): Listener[] {
  const found = new Map<number, Listener>();
  for (const line of table.split("\n").slice(1)) {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/u);
    const port = Number.parseInt(local.split(":")[1] ?? "", 16);
    if (state === listenState && port > 0 && !found.has(port)) found.set(port, { port, inode });
  }
  return [...found.values()];
}

export async function listeners(): Promise<Listener[]> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const ports = new Map<number, Listener>();
  for (const listener of tables.flatMap(parseListeners)) {
    if (!ports.has(listener.port)) ports.set(listener.port, listener);
  }
  return [...ports.values()].toSorted((a, b) => a.port - b.port);
}

/** Who holds the sockets, of those that we may look into; ends as soon as all are found. */
export async function ownersOf(inodes: ReadonlySet<string>): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>();
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/u.test(name));
  for (const pid of pids) {
    if (owners.size === inodes.size) break;
    for (const inode of await socketsOf(pid)) {
      if (!inodes.has(inode) || owners.has(inode)) continue;
      owners.set(inode, await ownerOf(Number(pid)));
    }
  }
  return owners;
}

async function socketsOf(pid: string): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => "")));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/u.exec(link)?.[1] ?? []);
}

async function ownerOf(pid: number): Promise<Owner> {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [name, commandLine] = await Promise.all([read("comm"), read("cmdline")]);
  return { pid, name: name.trim(), commandLine: commandLine.replaceAll("\0", " ").trim() };
}
