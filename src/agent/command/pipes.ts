/**
 * Anonymous pipes, which Node cannot make: its own are sockets. A shell makes some by running pipelines, and we open
 * them through /proc before it ends. (Pipes with names would be simpler, but whoever opens such a one by the name
 * /dev/stdin waits for a writer that may be gone.)
 */
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";

/** What a shell can number with one digit, without its own streams and the one that it waits on. */
const numbers = [3, 4, 5, 6, 7, 9] as const;

/** The innermost process holds the read ends of all pipes until its input ends. */
const script = numbers.reduceRight(
  (inner, number) => `: | { exec ${number}<&0; ${inner}; }`,
  "exec /bin/sh -c 'echo $$; read -r end <&8'",
);

/** Descriptors of new pipes, each open for reading and writing. Rejects where a machine has no shell or no /proc. */
export async function makePipes(): Promise<number[]> {
  const child = spawn("/bin/sh", ["-c", `exec 8<&0; ${script}`], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  child.stdin.on("error", () => {});
  const opened: number[] = [];
  try {
    const line = new Promise<string>((resolve) =>
      child.stdout.once("data", (bytes) => resolve(String(bytes))),
    );
    const pid = Number(await Promise.race([line, ended.then(() => "")]));
    if (!Number.isInteger(pid) || pid <= 0) throw new Error("the shell made no pipes");
    for (const number of numbers) {
      opened.push(openSync(`/proc/${pid}/fd/${number}`, constants.O_RDWR | constants.O_NONBLOCK));
    }
    return opened;
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  } finally {
    child.stdin.end();
    await ended;
  }
}

export interface PipeEnds {
  readonly ours: Socket;
  /** To be given to a process, and then closed here. */
  readonly theirs: number;
}

/** Takes a pipe of `makePipes` over, of which we hold the read or the write end. The process's end blocks, ours does not. */
export function splitPipe(both: number, our: "read" | "write"): PipeEnds {
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
  const path = `/proc/self/fd/${both}`;
  try {
    const theirs = openSync(path, our === "read" ? O_WRONLY : O_RDONLY);
    const fd = openSync(path, (our === "read" ? O_RDONLY : O_WRONLY) | O_NONBLOCK);
    return { ours: new Socket({ fd, readable: our === "read", writable: our === "write" }), theirs };
  } finally {
    closeSync(both);
  }
}
